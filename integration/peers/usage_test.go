//go:build linux

package peers

import (
	"strings"
	"testing"
	"time"
)

func TestALineOfStat(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       stat
		ok         bool
	}{
		{"a process", "42 (node) S 7 42 42 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 11 0 99 1 2", stat{42, 7, "node", 2 * time.Second}, true},
		{"a name with parentheses and spaces", "42 (a) (b c) R 1 2 3 4 5 6 7 8 9 10 1 0 0 0", stat{42, 1, "a) (b c", 10 * time.Millisecond}, true},
		{"nothing", "", stat{}, false},
		{"no name", "42 S 1", stat{}, false},
		{"cut off", "42 (node) S 7 42", stat{}, false},
		{"words for numbers", "x (node) S 7 42 42 0 -1 4194560 9 0 0 0 150 50", stat{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseStat(c.line)
			if (err == nil) != c.ok || c.ok && got != c.want {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestWhatAServerUsesIsThatOfAllItStarted(t *testing.T) {
	inner := testServer(t)
	s := *inner
	s.Launcher = "sh"
	s.Command = func(file string, port int, dir string) []string {
		return []string{"sh", "-c", strings.Join(inner.Command(file, port, dir), " ") + " & wait"}
	}
	p, err := s.Start(t.Context(), Job{Component: "c", Logs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	u, err := p.Usage()
	if err != nil {
		t.Fatal(err)
	}
	if u.Processes != 1 || u.Private <= 0 || u.RSS < u.Private {
		t.Errorf("%+v: the shell does not count, what it started does", u)
	}
}
