//go:build linux

package main

import (
	"errors"
	"flag"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestTheCommandLine(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		ok   bool
	}{
		{"nothing", nil, true},
		{"all of it", []string{"-quick", "-components", "c,python", "-servers", "^wasmtime", "-o", "json"}, true},
		{"an argument", []string{"quick"}, false},
		{"another output", []string{"-o", "xml"}, false},
		{"a component that there is not", []string{"-components", "c,cobol"}, false},
		{"a pattern that is none", []string{"-servers", "("}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseOptions(c.args, t.Output()); (err == nil) != c.ok {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	if _, err := parseOptions([]string{"-h"}, t.Output()); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error %v", err)
	}
	if code := doMain([]string{"-h"}, t.Output(), t.Output()); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestAQuickRunMeasuresTheSameAndLess(t *testing.T) {
	quick, err := parseOptions([]string{"-quick"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	full, err := parseOptions(nil, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if len(quick.Connections) != len(full.Connections) || len(quick.Components) != len(full.Components) || quick.Turn >= full.Turn || quick.Rounds < 2 {
		t.Errorf("quick %+v, full %+v", quick.plan, full.plan)
	}
}
