package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) {
	if os.Getenv(brittle) != "" {
		fmt.Fprintln(os.Stderr, brittleServer(os.Args[1]))
		os.Exit(1)
	}
	leak.Main(m)
}

func TestTheCommandLine(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		ok   bool
	}{
		{"nothing", nil, true},
		{"all of it", []string{"-run", "^http/", "-o", "json", "-known"}, true},
		{"an argument", []string{"http"}, false},
		{"another output", []string{"-o", "xml"}, false},
		{"a pattern that is none", []string{"-run", "("}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseOptions(c.args, t.Output()); (err == nil) != c.ok {
				t.Errorf("error %v", err)
			}
		})
	}
}
