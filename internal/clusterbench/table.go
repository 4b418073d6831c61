package clusterbench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Print writes the results for a terminal.
func (r *Results) Print(w io.Writer) error {
	for _, line := range r.machine() {
		fmt.Fprintf(w, "%s: %s\n", line[0], line[1])
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, columns := range [][]column{shortTimes, shortAmounts} {
		for _, row := range r.short(columns) {
			fmt.Fprintln(t, strings.Join(row, "\t"))
		}
		fmt.Fprintln(t)
	}
	for _, p := range Parts {
		first := true
		for _, topic := range topics {
			if topic.part != p.Part {
				continue
			}
			for _, f := range r.of(topic) {
				if first {
					fmt.Fprintf(t, "(%s) %s\tof\tp50\tp99\tp99.9\tworst\tp50 ÷ %s (rounds)\tn\tfailed\n", p.Part, p.Title, r.title(server))
					first = false
				}
				fmt.Fprintf(t, "%s\t%s\n", topic.title, strings.Join(f.columns(), "\t"))
			}
		}
		if !first {
			fmt.Fprintln(t)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, text := range r.remarks() {
		fmt.Fprintln(w, text)
	}
	return nil
}

// columns are a figure's.
func (f *figure) columns() []string {
	u := f.in()
	show := func(v float64) string {
		if v == 0 {
			return "–"
		}
		return u.Format(v)
	}
	over := "–"
	if f.Over != nil {
		over = f.Over.String()
	}
	worst := f.Max
	if f.Unit == unitRate && len(f.values) > 0 {
		worst = least(f.values)
	}
	return []string{f.Title, show(f.P50), show(f.P99), show(f.P999), show(worst), over, fmt.Sprint(f.N), fmt.Sprint(f.Bad)}
}

func least(values []float64) float64 {
	v := values[0]
	for _, w := range values {
		v = min(v, w)
	}
	return v
}

// title is a subject's, as in figures.
func (r *Results) title(name string) string {
	for _, f := range r.Figures {
		if f.Of == name {
			return f.Title
		}
	}
	return name
}

// machine is where it was measured, in pairs of a name and what there is.
func (r *Results) machine() [][2]string {
	c, o := r.Cluster, r.Origin
	all := [][2]string{
		{"cluster", fmt.Sprintf("%s, Kubernetes %s, %d node(s) for pods", c.Context, c.Kubernetes, c.Nodes)},
		{"node", fmt.Sprintf("%s: kubelet %s, %s, runc %s, RuntimeClass %s, shim of mayfly %s", c.Node, c.Kubelet, c.Containerd, orUnknown(c.Runc), c.Class, orUnknown(c.Mayfly))},
		{"processor", fmt.Sprintf("%d × %s, memory %s", o.CPUs, o.CPU, o.Memory)},
		{"system", o.System},
		{"measured", fmt.Sprintf("%s, with mayfly %s; load before: %s", o.Date.Format("2006-01-02 15:04 MST"), o.Commit, orUnknown(o.Load))},
		{"command", o.Command},
	}
	return all
}
