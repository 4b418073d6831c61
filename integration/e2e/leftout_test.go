//go:build linux

package main

import (
	"slices"
	"strings"
	"testing"
)

func TestReadLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want leftOut
		err  string
	}{
		"tests have the reason above them": {
			"# for people\n\nno registry\n  [a] one\n  [a] two\n\nno time\n  [b] three\n",
			leftOut{"[a] one": "no registry", "[a] two": "no registry", "[b] three": "no time"}, "",
		},
		"a test needs a reason":      {"  [a] one\n", nil, "left-out.txt:1: a test without a reason"},
		"a test is named once":       {"no registry\n  [a] one\n  [a] one\n", nil, "left-out.txt:3: a test that is named before"},
		"nothing need be left out":   {"# nothing\n", leftOut{}, ""},
		"a reason need have no test": {"no registry\n", leftOut{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readLeftOut(c.text)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error is %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			for test, reason := range c.want {
				if got[test] != reason {
					t.Errorf("%s: %q, want %q", test, got[test], reason)
				}
			}
		})
	}
}

func TestTheListThatIsCommittedIsReadable(t *testing.T) {
	if _, err := readLeftOut(leftOutText); err != nil {
		t.Fatal(err)
	}
}

func TestSplit(t *testing.T) {
	l := leftOut{"b": "no registry"}
	run, out, err := l.split([]string{"a", "b", "c"})
	if err != nil || !slices.Equal(run, []string{"a", "c"}) || !slices.Equal(out, []string{"b"}) {
		t.Errorf("got %v, %v, %v", run, out, err)
	}
	if _, _, err := l.split([]string{"a"}); err == nil || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("a name that is no test's: error is %v", err)
	}
}
