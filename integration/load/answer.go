package load

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

// maxBody bounds an answer's body.
const maxBody = 1 << 20

var (
	errNoHTTP   = errors.New("this is not HTTP/1.1")
	errNoLength = errors.New("the answer has neither a length nor chunks")
	errTooLong  = errors.New("the body is longer than 1 MiB")
)

// answer is one of a server's. Its body is valid until the next is read.
type answer struct {
	status int
	body   []byte
	closes bool // the server closes the connection
}

// readAnswer reads one, with its body in the memory of body where that suffices.
func readAnswer(r *bufio.Reader, body []byte) (answer, error) {
	a := answer{body: body[:0]}
	line, err := readLine(r)
	if err != nil {
		return a, err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return a, errNoHTTP
	}
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil || a.status < 200 {
		return a, errNoHTTP
	}
	length, chunked := -1, false
	for {
		if line, err = readLine(r); err != nil {
			return a, err
		}
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return a, errNoHTTP
		}
		value = bytes.TrimSpace(value)
		switch {
		case is(name, "content-length"):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return a, errNoHTTP
			}
		case is(name, "transfer-encoding"):
			chunked = is(value, "chunked")
		case is(name, "connection"):
			a.closes = is(value, "close")
		}
	}
	switch {
	case chunked:
		return a, a.readChunks(r)
	case length < 0:
		return a, errNoLength
	}
	return a, a.readSome(r, length)
}

// is tells whether a word is this one, however it is written.
func is(word []byte, lower string) bool {
	return len(word) == len(lower) && bytes.EqualFold(word, []byte(lower))
}

func (a *answer) readChunks(r *bufio.Reader) error {
	for {
		line, err := readLine(r)
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 31)
		if err != nil {
			return errNoHTTP
		}
		if n == 0 {
			break
		}
		if err := a.readSome(r, int(n)); err != nil {
			return err
		}
		if line, err = readLine(r); err != nil {
			return err
		} else if len(line) > 0 {
			return errNoHTTP
		}
	}
	for { // trailers
		line, err := readLine(r)
		if err != nil || len(line) == 0 {
			return err
		}
	}
}

// readSome appends n bytes to the body.
func (a *answer) readSome(r *bufio.Reader, n int) error {
	have := len(a.body)
	if n > maxBody-have {
		return errTooLong
	}
	if cap(a.body) < have+n {
		grown := make([]byte, have, 2*(have+n))
		copy(grown, a.body)
		a.body = grown
	}
	a.body = a.body[:have+n]
	_, err := io.ReadFull(r, a.body[have:])
	return noEOF(err)
}

// readLine reads a line without its end. It is valid until the next read.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, noEOF(err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
