//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/mayfly-run/mayfly/internal/figures"
	"github.com/mayfly-run/mayfly/internal/report"
)

// print writes what was measured for a terminal.
func (r *results) print(w io.Writer) error {
	o := r.Origin
	fmt.Fprintf(w, "%d × %s, %s, %s; load before %s\n", o.CPUs, o.CPU, o.System, o.Go, o.Load)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\ncomponent\tconnections\tserver\tp50\tp99\tp99.9\trequests/s\tmayfly's p50 ÷ this\tmayfly's rate ÷ this\tn\tfailed")
	for _, q := range r.Requests {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%.0f\t%s\t%s\t%d\t%d\n", q.Component, q.Connections, q.Server,
			short(q.P50), short(q.P99), short(q.P999), q.Rate.Median, spread(q.MayflyP50), spread(q.MayflyRate), q.N, q.Failed)
	}
	fmt.Fprintln(t, "\ncomponent\tserver\town at rest\tunder load\tafter\tRSS at rest\tunder load\tafter")
	mb := func(b int64) string { return report.Bytes.Format(float64(b)) }
	for _, m := range r.Memory {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.Component, m.Server,
			mb(m.Idle.Own), mb(m.Busy.Own), mb(m.After.Own), mb(m.Idle.RSS), mb(m.Busy.RSS), mb(m.After.RSS))
	}
	fmt.Fprintln(t, "\ncomponent\tserver\tstart to first answer\tfastest\tslowest\tn")
	for _, f := range r.First {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\n", f.Component, f.Server, short(f.Time.Median), short(f.Time.Min), short(f.Time.Max), f.N)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nwritten to %s and %s\n", jsonFile, htmlFile)
	return err
}

// short is a time, "–" where there is none.
func short(µs float64) string {
	if µs == 0 {
		return "–"
	}
	return report.Microseconds.Format(µs)
}

// spread is a ratio, "" for mayfly itself.
func spread(s *figures.Spread) string {
	if s == nil {
		return ""
	}
	return s.String()
}
