// Package expect is what scenarios say of what must be so. What is not ends the
// test, in words.
//
// It is for the tests of package integration and of the packages below it.
package expect

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// Success ends the test with an error.
func Success(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Equal is that something is what it should be.
func Equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// Contains is that all parts are somewhere in the text.
func Contains(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Fatalf("%s: %q is not in %q", what, p, text)
		}
	}
}

// Wait is how to wait for what takes its time.
type Wait struct {
	// Both are of a machine that is not slower than usual.
	Within time.Duration
	Every  time.Duration // how often to look, which costs the machine something too
}

// Eventually is that something comes to pass, before the context ends.
func (w Wait) Eventually(ctx context.Context, t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(lab.Patience(w.Within)); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(lab.Patience(w.Every)) {
		if so() {
			return
		}
	}
	t.Fatalf("it does not come to pass: %s", what)
}
