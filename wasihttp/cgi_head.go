package wasihttp

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
)

// Bounds of the head of a guest's answer.
const (
	maxHead   = 64 << 10 // bytes
	maxFields = 256
)

// errNotHTTP is wrapped by all that is wrong with a guest's answer.
var errNotHTTP = errors.New("the guest's output is no HTTP answer")

func notHTTP(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errNotHTTP, fmt.Sprintf(format, args...))
}

// head is the head of a CGI answer (RFC 3875, 6), parsed as it comes. The zero value is ready.
type head struct {
	status   int    // 0 when the guest gave none
	location string // "" when the guest gave none
	typed    bool   // it gave a Content-Type
	length   int64  // Content-Length; meaningful when hasLength
	fields   []field

	hasLength bool
	line      []byte // what is there of a line whose end is not
	size      int    // bytes so far
}

// feed takes the next piece of output. It returns how much of it belongs to the head, and whether the head is complete.
func (h *head) feed(p []byte) (n int, complete bool, err error) {
	for n < len(p) {
		piece := p[n:]
		end := bytes.IndexByte(piece, '\n')
		if end >= 0 {
			piece = piece[:end+1]
		}
		n += len(piece)
		if h.size += len(piece); h.size > maxHead {
			return n, false, notHTTP("its head has more than %d KiB", maxHead>>10)
		}
		if end < 0 {
			h.line = append(h.line, piece...)
			return n, false, nil
		}
		line := piece
		if len(h.line) > 0 {
			h.line = append(h.line, piece...)
			line = h.line
		}
		line = bytes.TrimSuffix(line[:len(line)-1], []byte{'\r'})
		if len(line) == 0 {
			return n, true, h.check()
		}
		if err := h.add(line); err != nil {
			return n, false, err
		}
		h.line = h.line[:0]
	}
	return n, false, nil
}

// missing says what is wrong with a head that ends before it is complete.
func (h *head) missing() error {
	if h.size == 0 {
		return notHTTP("it is empty")
	}
	return notHTTP("it ends before the empty line that ends its head")
}

// check looks at the head as a whole.
func (h *head) check() error {
	// RFC 3875, 6.3: the script must return at least one CGI field. What has none is text that looks like fields.
	if !h.typed && h.location == "" && h.status == 0 {
		return notHTTP("its head has none of Content-Type, Location and Status")
	}
	return nil
}

// add takes one line, without its end.
func (h *head) add(line []byte) error {
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok || !isToken(name) {
		return notHTTP("%.60q is no header line", line)
	}
	value = bytes.Trim(value, " \t")
	if !isText(value) {
		return notHTTP("the value of its field %.60q has control characters", name)
	}
	if len(h.fields) == maxFields {
		return notHTTP("its head has more than %d fields", maxFields)
	}
	f := field{textproto.CanonicalMIMEHeaderKey(string(name)), string(value)}
	switch f.name {
	case "Status":
		return h.setStatus(f.value)
	case "Location":
		if h.location != "" || f.value == "" {
			return notHTTP("its field Location is empty or there twice")
		}
		h.location = f.value
		return nil
	case "Content-Length":
		return h.setLength(f.value)
	case "Content-Type":
		if h.typed {
			return notHTTP("its field Content-Type is there twice")
		}
		h.typed = true
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		// RFC 3875, 6.3.4: what concerns the connection is the server's.
		return nil
	}
	h.fields = append(h.fields, f)
	return nil
}

func (h *head) setStatus(v string) error {
	code, _, _ := strings.Cut(v, " ")
	n, ok := digits(code)
	if h.status != 0 || !ok || len(code) != 3 || n < 200 || n > 599 {
		return notHTTP("its field Status, %.60q, is no status from 200 to 599, as in Status: 404 Not Found, or is there twice", v)
	}
	h.status = int(n)
	return nil
}

func (h *head) setLength(v string) error {
	n, ok := digits(v)
	if !ok || h.hasLength && n != h.length {
		return notHTTP("its field Content-Length, %.60q, is no number, or there are two", v)
	}
	h.length, h.hasLength = n, true
	return nil
}

// local returns the path that a local redirect (RFC 3875, 6.2.2) goes to: a head with that field alone.
func (h *head) local() (string, bool) {
	local := strings.HasPrefix(h.location, "/") && !strings.HasPrefix(h.location, "//") &&
		h.status == 0 && len(h.fields) == 0 && !h.hasLength
	return h.location, local
}

// code is the status of the answer.
func (h *head) code() int {
	switch {
	case h.status != 0:
		return h.status
	case h.location != "":
		return http.StatusFound
	}
	return http.StatusOK
}

// copyTo puts the fields into header. Those the guest sets replace ours.
func (h *head) copyTo(header http.Header) {
	for _, f := range h.fields {
		header.Del(f.name)
	}
	for _, f := range h.fields {
		header[f.name] = append(header[f.name], f.value)
	}
	if h.location != "" {
		header["Location"] = []string{h.location}
	}
	if !h.typed {
		header["Content-Type"] = nil // or net/http would guess one from what the guest says
	}
}
