package wasihttp

import (
	"io"
	"strings"
	"testing"
)

func TestAnAnswerDoesNotOvertakeTheWordThatABodyIsWanted(t *testing.T) {
	s := serveComponent(t)
	for range 20 {
		c, r := s.raw(t, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
		line, err := r.ReadString('\n')
		if err != nil || !strings.Contains(line, " 100 ") {
			t.Fatalf("the client is told %q, %v", line, err)
		}
		_, _ = io.WriteString(c, "hello")
		c.Close()
	}
}
