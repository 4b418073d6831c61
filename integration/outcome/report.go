package outcome

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Report is what a whole run found.
type Report struct {
	Mayfly, Runc Results
	// Control are results that are printed and not compared: with no runtime
	// at all. Nil when there are none.
	Control Results
	// Telling tells which tests say something of a runtime, How how one knows.
	Telling func(test string) bool
	How     string
	// Unsteady differed when all ran, and not when run alone.
	Unsteady []string
	Logs     string
}

// Print writes the report and tells whether something fails with mayfly that
// passes with runc.
func (r Report) Print(w io.Writer) (worse bool) {
	r.counts(w)
	fmt.Fprintf(w, "\n%d pass with both and %s: these are what is compared\n", r.telling(), r.How)
	r.list(w, "fail or stay stuck with both", func(m, c string) bool { return m == c && (m == Fail || m == Stuck) })
	r.list(w, "skipped with both", func(m, c string) bool { return m == c && m == Skip })
	if len(r.Unsteady) > 0 {
		fmt.Fprintf(w, "\ndiffered once, and not when run alone:\n  %s\n", strings.Join(r.Unsteady, "\n  "))
	}
	different := Deepest(r.Mayfly, r.Runc, func(m, c string) bool { return m != c })
	if len(different) == 0 {
		fmt.Fprintf(w, "\nno test differs; logs are in %s\n", r.Logs)
		return false
	}
	fmt.Fprintf(w, "\ndifferent:\n")
	for _, name := range different {
		m, c := r.Mayfly.Of(name), r.Runc.Of(name)
		fmt.Fprintf(w, "  %s: %s with mayfly, %s with runc\n", name, m, c)
		if Bad(m, c) {
			worse = true
			fmt.Fprintf(w, "    %s\n", r.Mayfly.Reason(name))
		}
	}
	fmt.Fprintf(w, "logs are in %s\n", r.Logs)
	return worse
}

func (r Report) counts(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\t%s\t%sed\t%sed\t%sped\t%s\t\n", "tests", Pass, Fail, Skip, Stuck)
	for _, c := range []struct {
		name string
		of   Results
	}{{"mayfly", r.Mayfly}, {"runc", r.Runc}, {"no runtime", r.Control}} {
		if c.of == nil {
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t\n", c.name, len(c.of),
			c.of.Count(Pass), c.of.Count(Fail), c.of.Count(Skip), c.of.Count(Stuck))
	}
	t.Flush()
}

// list names the tests whose two outcomes are as asked for.
func (r Report) list(w io.Writer, title string, want func(m, c string) bool) {
	list := Deepest(r.Mayfly, r.Runc, want)
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", title)
	for _, name := range list {
		fmt.Fprintf(w, "  %s: %s\n", name, r.Runc.Reason(name))
	}
}

// telling counts the tests that pass because of the runtime.
func (r Report) telling() int {
	n := 0
	for name := range r.Mayfly {
		if r.Mayfly.Of(name) == Pass && r.Runc.Of(name) == Pass && r.Telling(name) {
			n++
		}
	}
	return n
}
