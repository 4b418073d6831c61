//go:build linux

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/integration/outcome"
	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// ran makes results of lines "ACTION TEST [OUTPUT]", as test2json reports them.
func ran(lines ...string) *results {
	r := newResults()
	for _, l := range lines {
		f := append(strings.SplitN(l, " ", 3), "", "")
		r.add(event{Action: f[0], Test: f[1], Output: f[2]})
	}
	return r
}

func TestOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		of   *results
		want string
	}{
		"a test that ends has the outcome it ends with": {ran("run TestA", "skip TestA"), outcome.Skip},
		"a test that begins and does not end is stuck":  {ran("run TestA", "output TestA hello"), outcome.Stuck},
		"a test that is not begun has not run":          {ran("run TestB", "pass TestB"), outcome.Never},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.of.outcome("TestA"); got != c.want {
				t.Errorf("outcome is %q, want %q", got, c.want)
			}
		})
	}
}

func TestUnfinishedTestsAreToldApartByWhetherTheyRan(t *testing.T) {
	r := ran("run TestA", "pass TestA", "run TestB", "run TestC", "pause TestC", "run TestD", "pause TestD", "cont TestD")
	running, waiting := r.unfinished([]string{"TestA", "TestB", "TestC", "TestD", "TestE"})
	if want := []string{"TestB", "TestD"}; !slices.Equal(running, want) {
		t.Errorf("running are %v, want %v", running, want)
	}
	if want := []string{"TestC", "TestE"}; !slices.Equal(waiting, want) {
		t.Errorf("waiting are %v, want %v", waiting, want)
	}
}

func TestASecondRunTakesThePlaceOfTheFirst(t *testing.T) {
	r := ran("fail TestA/old", "fail TestA", "pass TestAB")
	r.replace("TestA", ran("pass TestA/new", "pass TestA", "fail TestAB"))
	for name, want := range map[string]string{"TestA/old": outcome.Never, "TestA/new": outcome.Pass, "TestA": outcome.Pass, "TestAB": outcome.Pass} {
		if got := r.outcome(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestReasonIsWhatTheTestSaidLast(t *testing.T) {
	r := ran(
		"output TestA === RUN   TestA\n",
		"output TestA     a_test.go:1: first step\n",
		"output TestA     log_hook.go:47: time=now level=debug\n",
		"output TestA     a_test.go:9: \n",
		"output TestA         Error:   it  broke\n",
		"output TestA --- FAIL: TestA (0.1s)\n",
	)
	if got, want := r.reason("TestA"), "a_test.go:9: Error: it broke"; got != want {
		t.Errorf("reason is %q, want %q", got, want)
	}
}
