//go:build linux

package main

import (
	"io"
	"testing"

	"github.com/mayfly-run/mayfly/integration/outcome"
)

func TestWhatATestPrintsIsNotTakenForAnOutcome(t *testing.T) {
	events, w, err := decode(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	// The mark before a line says that it is the testing package's own.
	const mark = "\x16"
	_, err = io.WriteString(w, mark+"=== RUN   TestA\n--- FAIL: TestA (0.00s)\n"+mark+"--- PASS: TestA (0.00s)\n"+mark+"=== RUN   TestB\n")
	w.Close()
	r := newResults()
	for e := range events {
		r.add(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := r.outcome("TestA"); got != outcome.Pass {
		t.Errorf("TestA: %s, want %s", got, outcome.Pass)
	}
	if got := r.outcome("TestB"); got != outcome.Stuck {
		t.Errorf("TestB: %s, want %s", got, outcome.Stuck)
	}
}
