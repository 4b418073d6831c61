//go:build linux

package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestTheHolderTakesOneProcessorAndLeavesTheEngineTheOthers(t *testing.T) {
	for _, tc := range []struct {
		name      string
		container []string // its environment, as far as it matters
		engine    []string // and the engine's
	}{
		{"the container says nothing", nil, nil},
		{"it says how many", []string{"GOMAXPROCS=4"}, []string{"GOMAXPROCS=4"}},
		{"it says one", []string{"GOMAXPROCS=1"}, []string{"GOMAXPROCS=1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := startHolder(t, "stays", tc.container...)
			pid := strings.TrimSpace(p.ask(t))
			if got := processorVariables(t, pid); !slices.Equal(got, tc.engine) {
				t.Errorf("the engine has %q, want %q", got, tc.engine)
			}
			holder := processorVariables(t, strconv.Itoa(p.Process.Pid))
			if len(tc.container) > 0 && !slices.Contains(holder, "GOMAXPROCS=1") {
				t.Errorf("the holder has %q", holder)
			}
		})
	}
}

// processorVariables returns what a process was given of the variables that alone changes.
func processorVariables(t *testing.T, pid string) []string {
	t.Helper()
	b, err := os.ReadFile("/proc/" + pid + "/environ")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(b), "\x00"), func(v string) bool {
		return !strings.Contains(v, processors)
	})
}
