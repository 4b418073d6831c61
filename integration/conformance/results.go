//go:build linux

package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/integration/outcome"
)

// result is what is known of one test or subtest.
type result struct {
	outcome string // empty while it has none
	paused  bool   // waits for its turn with parallel tests
	output  strings.Builder
}

// results are those of one runtime, by the tests' full names.
type results struct {
	tests map[string]*result
}

func newResults() *results { return &results{tests: map[string]*result{}} }

func (r *results) add(e event) {
	if e.Test == "" {
		return
	}
	t := r.tests[e.Test]
	if t == nil {
		t = &result{}
		r.tests[e.Test] = t
	}
	switch e.Action {
	case "pause":
		t.paused = true
	case "cont":
		t.paused = false
	case "output":
		t.output.WriteString(e.Output)
	case outcome.Pass, outcome.Fail, outcome.Skip:
		t.outcome = e.Action
	}
}

// outcome is a test's, whether or not it was reached.
func (r *results) outcome(test string) string {
	t := r.tests[test]
	switch {
	case t == nil:
		return outcome.Never
	case t.outcome == "":
		return outcome.Stuck
	}
	return t.outcome
}

// outcomes are the results as they are compared.
func (r *results) outcomes() outcome.Results {
	all := outcome.Results{}
	for name := range r.tests {
		all[name] = outcome.Result{Outcome: r.outcome(name), Reason: r.reason(name)}
	}
	return all
}

// reason is what a test last had to say, on one line, without its log.
func (r *results) reason(test string) string {
	t := r.tests[test]
	var said []string
	for line := range strings.Lines(t.output.String()) {
		line = strings.TrimSpace(line)
		if logged.MatchString(line) {
			continue
		}
		if at := place.FindStringIndex(line); at != nil {
			said = nil
			line = line[at[0]:]
		}
		said = append(said, strings.Fields(line)...)
	}
	const enough = 500
	text := []rune(strings.Join(said, " "))
	return string(text[:min(len(text), enough)])
}

var (
	logged = regexp.MustCompile(`^(=== |--- |log_hook\.go:|time=)`)
	place  = regexp.MustCompile(`^\w+_test\.go:\d+:`)
)

// unfinished are the top-level tests of want that were running, and those that
// had not had their turn, when the suite ended.
func (r *results) unfinished(want []string) (running, waiting []string) {
	for _, test := range want {
		switch t := r.tests[test]; {
		case t == nil || t.outcome == "" && t.paused:
			waiting = append(waiting, test)
		case t.outcome == "":
			running = append(running, test)
		}
	}
	return running, waiting
}

// replace puts what is newly known of a top-level test and its subtests in the
// place of what was known.
func (r *results) replace(test string, by *results) {
	maps.DeleteFunc(r.tests, func(name string, _ *result) bool { return top(name) == test })
	for name, t := range by.tests {
		if top(name) == test {
			r.tests[name] = t
		}
	}
}

// forget drops a test that did not have its turn.
func (r *results) forget(test string) { r.replace(test, newResults()) }

// top is the name of the top-level test a test belongs to.
func top(name string) string {
	name, _, _ = strings.Cut(name, "/")
	return name
}

// names are all tests and subtests of a and b, sorted.
func names(a, b *results) []string {
	all := maps.Clone(a.tests)
	maps.Copy(all, b.tests)
	return slices.Sorted(maps.Keys(all))
}

// differing are the top-level tests of which the outcome, or that of a
// subtest, is not the same in a and b.
func differing(a, b *results) []string {
	var tops []string
	for _, name := range names(a, b) {
		if a.outcome(name) != b.outcome(name) && !slices.Contains(tops, top(name)) {
			tops = append(tops, top(name))
		}
	}
	return tops
}

func differs(test string, a, b *results) bool { return slices.Contains(differing(a, b), test) }
