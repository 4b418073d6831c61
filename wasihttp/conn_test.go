package wasihttp

import (
	"errors"
	"io"
	"net"
	"testing"
)

func TestASpentConnectionAnswersNothingMore(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	c := &conn{Conn: ours}
	write := func() error {
		_, err := io.WriteString(c, "answer")
		return err
	}
	c.rest()
	if err := write(); err != nil {
		t.Errorf("between two requests: %v", err)
	}
	c.spend()
	if err := write(); err != nil {
		t.Errorf("the answer in progress: %v", err)
	}
	c.rest()
	if err := write(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after it: %v", err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("it is read")
	}
}
