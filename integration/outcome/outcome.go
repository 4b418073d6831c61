// Package outcome compares what comes of somebody else's test suite with mayfly
// and with runc, test by test: for containerd's suite and for Kubernetes'. It
// runs nothing.
package outcome

import (
	"maps"
	"slices"
	"strings"
)

// What comes of a test.
const (
	Pass  = "pass"
	Fail  = "fail"
	Skip  = "skip"
	Stuck = "stuck"   // begun, and not ended in time or before the suite itself did
	Never = "not run" // not begun
)

// Result is what came of a test and, when it did not pass, why.
type Result struct{ Outcome, Reason string }

// Results are those of one runtime, by the tests' full names, in which a slash
// is between a test and its subtest.
type Results map[string]Result

// Of is what came of a test, whether or not it was reached.
func (r Results) Of(test string) string {
	if o := r[test].Outcome; o != "" {
		return o
	}
	return Never
}

// Reason is why, on one line.
func (r Results) Reason(test string) string {
	if t, ok := r[test]; ok {
		return t.Reason
	}
	return "not reached"
}

// Count counts the tests of which outcome came.
func (r Results) Count(outcome string) int {
	n := 0
	for name := range r {
		if r.Of(name) == outcome {
			n++
		}
	}
	return n
}

// Bad tells whether mayfly did not do what runc did. A test that runc skips and
// mayfly fails is as bad: with runc it had not failed.
func Bad(mayfly, runc string) bool {
	return (mayfly == Fail || mayfly == Stuck || mayfly == Never) && runc != Fail && runc != Stuck
}

// names are all tests of a and b, sorted.
func names(a, b Results) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// Deepest are the tests whose two outcomes are as wanted, sorted, a parent only
// when none of its subtests is.
func Deepest(mayfly, runc Results, want func(m, c string) bool) []string {
	var list []string
	for _, name := range names(mayfly, runc) {
		if !want(mayfly.Of(name), runc.Of(name)) {
			continue
		}
		// Sorted, a test comes before its subtests.
		if n := len(list); n > 0 && strings.HasPrefix(name, list[n-1]+"/") {
			list = list[:n-1]
		}
		list = append(list, name)
	}
	return list
}
