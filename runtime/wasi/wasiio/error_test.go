package wasiio

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

func TestDescribe(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a plain error is told":               {errors.New("no"), "no"},
		"a path of the host is not told":      {fmt.Errorf("open: %w", &fs.PathError{Op: "open", Path: "/secret", Err: syscall.ENOENT}), "no such file or directory"},
		"nor are two":                         {&os.LinkError{Op: "rename", Old: "/a", New: "/b", Err: syscall.EXDEV}, "invalid cross-device link"},
		"nor are addresses":                   {&net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{Port: 1}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "connection refused"},
		"what is not text is left out":        {errors.New("a\xffb"), "ab"},
		"a long one is cut between two runes": {errors.New("a" + strings.Repeat("é", maxDescription)), "a" + strings.Repeat("é", (maxDescription-1)/2)},
	} {
		t.Run(name, func(t *testing.T) {
			got := describe(c.err)
			if got != c.want || !utf8.ValidString(got) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
