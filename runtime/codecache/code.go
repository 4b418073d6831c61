package codecache

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// Code is the compiled code of a module, less the machine code itself.
type Code struct {
	// Key is what wazero has to call it when it is loaded, see [Cache.Key].
	Key [KeySize]byte

	head      []byte // what wazero writes before the machine code
	tail      []byte // and behind it
	functions int    // that have code
	size      int    // of the machine code, in bytes
}

// Limits of code.
const (
	maxFunctions = 1 << 21
	maxText      = 1 << 30 // bytes
)

// wazero's format is: the magic number, its version after the length of that, how many functions there are, the place of each in the machine code,
// the size of that; the machine code; its checksum; whether places in it are mapped to such in the module, for debuggers; how many tables there are
// for exceptions. Of the last two there are none: no module here has what they are for.
const (
	magic      = "WAZEVO"
	offsetSize = 8
	tailSize   = 4 + 1 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Functions is how many functions the code has.
func (c *Code) Functions() int { return c.functions }

// Size is how large the machine code is, in bytes.
func (c *Code) Size() int { return c.size }

// receive takes apart what wazero wrote. The machine code goes to text.
func receive(r io.Reader, text io.Writer) (*Code, error) {
	head, err := receiveHead(r)
	if err != nil {
		return nil, fmt.Errorf("%w: the code that it wrote: %w", ErrUnknown, err)
	}
	c := &Code{head: head}
	if err := c.parseHead(); err != nil {
		return nil, fmt.Errorf("%w: the code that it wrote: %w", ErrUnknown, err)
	}
	sum := crc32.New(castagnoli)
	if _, err := io.CopyN(io.MultiWriter(text, sum), r, int64(c.size)); err != nil {
		return nil, fmt.Errorf("write machine code: %w", err)
	}
	c.tail = binary.LittleEndian.AppendUint32(make([]byte, 0, tailSize), sum.Sum32())
	c.tail = c.tail[:tailSize]
	rest, err := io.ReadAll(io.LimitReader(r, tailSize+1))
	if err != nil || !bytes.Equal(rest, c.tail) {
		return nil, fmt.Errorf("%w: what follows the code that it wrote (%v)", ErrUnknown, err)
	}
	return c, nil
}

// receiveHead reads what stands before the machine code.
func receiveHead(r io.Reader) ([]byte, error) {
	b := make([]byte, len(magic)+1)
	grow := func(n int) error {
		at := len(b)
		b = append(b, make([]byte, n)...)
		_, err := io.ReadFull(r, b[at:])
		return err
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	if err := grow(int(b[len(magic)]) + 4); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(b[len(b)-4:])
	if n > maxFunctions {
		return nil, fmt.Errorf("%d functions", n)
	}
	return b, grow(int(n)*offsetSize + offsetSize)
}

// parseHead checks the head and takes from it what is needed.
func (c *Code) parseHead() error {
	b := c.head
	if len(b) <= len(magic) || string(b[:len(magic)]) != magic {
		return fmt.Errorf("it does not begin with %q", magic)
	}
	version := int(b[len(magic)])
	if b = b[len(magic)+1:]; len(b) < version+4 {
		return fmt.Errorf("it ends early")
	}
	b = b[version:]
	n := binary.LittleEndian.Uint32(b)
	if b = b[4:]; n > maxFunctions || len(b) != int(n)*offsetSize+offsetSize {
		return fmt.Errorf("%d functions in %d bytes", n, len(b))
	}
	size := binary.LittleEndian.Uint64(b[len(b)-offsetSize:])
	if size > maxText || (size == 0) != (n == 0) {
		return fmt.Errorf("%d bytes of machine code for %d functions", size, n)
	}
	next := uint64(0)
	for b := b[:len(b)-offsetSize]; len(b) > 0; b = b[offsetSize:] {
		at := binary.LittleEndian.Uint64(b)
		if at < next || at >= size {
			return fmt.Errorf("a function begins at byte %d of %d, and not from %d on", at, size, next)
		}
		next = at + 1
	}
	c.functions, c.size = int(n), int(size)
	return nil
}

// AppendBinary appends the code, less the machine code, to b.
func (c *Code) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, c.Key[:]...)
	b = append(b, c.tail...)
	return append(b, c.head...), nil
}

// Parse is the inverse of [Code.AppendBinary]. The code refers to b. The error wraps ErrCode.
func Parse(b []byte) (*Code, error) {
	if len(b) < KeySize+tailSize {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrCode, len(b))
	}
	c := &Code{Key: [KeySize]byte(b[:KeySize]), tail: b[KeySize : KeySize+tailSize], head: b[KeySize+tailSize:]}
	if !bytes.Equal(c.tail[4:], make([]byte, tailSize-4)) {
		return nil, fmt.Errorf("%w: it has maps, or tables for exceptions", ErrCode)
	}
	if err := c.parseHead(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCode, err)
	}
	return c, nil
}
