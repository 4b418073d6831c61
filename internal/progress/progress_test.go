package progress

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

func TestWhatIsNoTerminalGetsALineForEachBeginAndEnd(t *testing.T) {
	var b strings.Builder
	p := New(&b)
	bad := errors.New("bad")
	if err := p.Do("one", func() error { p.Doing("something"); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := p.Do("two", func() error { return bad }); !errors.Is(err, bad) {
		t.Errorf("%v, want %v", err, bad)
	}
	want := regexp.MustCompile(`^  … one\n  ✓ one \(\d+\.\d s\)\n  … two\n  ✗ two \(\d+\.\d s\)\n$`)
	if !want.MatchString(b.String()) {
		t.Errorf("it wrote %q", b.String())
	}
}
