//go:build linux

package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestFollow(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		code     int
		err      error
	}{
		"what the tests print is printed, and their exit code is not": {
			"one\r\n\x16--- PASS: two\nexit code of the tests: 3\n", "one\n--- PASS: two\n", 3, nil,
		},
		"a line without an end is one": {"exit code of the tests: 0\nand then", "and then\n", 0, nil},
		"a machine that goes off tells nothing of the tests": {
			"one\n", "one\n", 0, errNoEnd,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var to strings.Builder
			code, err := follow(strings.NewReader(c.from), &to)
			if code != c.code || !errors.Is(err, c.err) || to.String() != c.to {
				t.Errorf("got %d, %v and %q, want %d, %v and %q", code, err, to.String(), c.code, c.err, c.to)
			}
		})
	}
	if _, err := follow(strings.NewReader("exit code of the tests: many\n"), &strings.Builder{}); err == nil {
		t.Error("a code that is no number is no error")
	}
}
