//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// report is what a whole run found.
type report struct {
	mayfly, runc *results
	none         *results // of no runtime at all
	unsteady     []string // differed in the whole suite, and not when run alone
	logs         string
}

// print writes the report and tells whether something fails with mayfly that
// passes with runc.
func (r report) print(w io.Writer) (worse bool) {
	r.counts(w)
	fmt.Fprintf(w, "\n%d pass with both and not without a runtime: these are what is compared\n", r.telling())
	r.list(w, "fail or stay stuck with both", func(m, c string) bool { return m == c && (m == fail || m == stuck) })
	r.list(w, "skipped with both", func(m, c string) bool { return m == c && m == skip })
	if len(r.unsteady) > 0 {
		fmt.Fprintf(w, "\ndiffered once, and not when run alone: %s\n", strings.Join(r.unsteady, ", "))
	}
	different := r.differences()
	if len(different) == 0 {
		fmt.Fprintf(w, "\nno test differs; logs are in %s\n", r.logs)
		return false
	}
	fmt.Fprintf(w, "\ndifferent:\n")
	for _, name := range different {
		m, c := r.mayfly.outcome(name), r.runc.outcome(name)
		fmt.Fprintf(w, "  %s: %s with mayfly, %s with runc\n", name, m, c)
		if bad(m, c) {
			worse = true
			fmt.Fprintf(w, "    %s\n", r.mayfly.reason(name))
		}
	}
	fmt.Fprintf(w, "logs are in %s\n", r.logs)
	return worse
}

func (r report) counts(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\t%s\t%sed\t%sed\t%sped\t%s\t\n", "tests", pass, fail, skip, stuck)
	for _, c := range []struct {
		name string
		of   *results
	}{{"mayfly", r.mayfly}, {"runc", r.runc}, {"no runtime", r.none}} {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t\n", c.name, len(c.of.tests),
			c.of.count(pass), c.of.count(fail), c.of.count(skip), c.of.count(stuck))
	}
	t.Flush()
}

// list names the tests whose two outcomes are as asked for, a parent only when
// none of its subtests is.
func (r report) list(w io.Writer, title string, want func(m, c string) bool) {
	list := r.deepest(want)
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", title)
	for _, name := range list {
		fmt.Fprintf(w, "  %s: %s\n", name, r.runc.reason(name))
	}
}

// telling counts the tests that pass because of the runtime.
func (r report) telling() int {
	n := 0
	for name := range r.mayfly.tests {
		if r.mayfly.outcome(name) == pass && r.runc.outcome(name) == pass && r.none.outcome(name) != pass {
			n++
		}
	}
	return n
}

func (r report) differences() []string {
	return r.deepest(func(m, c string) bool { return m != c })
}

func (r report) deepest(want func(m, c string) bool) []string {
	var list []string
	for _, name := range names(r.mayfly, r.runc) {
		if !want(r.mayfly.outcome(name), r.runc.outcome(name)) {
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

// bad tells whether mayfly did not do what runc did. A test that runc skips and
// mayfly fails is as bad: with runc it had not failed.
func bad(mayfly, runc string) bool {
	return (mayfly == fail || mayfly == stuck || mayfly == never) && runc != fail && runc != stuck
}
