package clusterbench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
	"github.com/mayfly-run/mayfly/internal/figures"
	"github.com/mayfly-run/mayfly/internal/report"
)

// The units of figures.
const (
	unitTime  = "µs"
	unitBytes = "bytes"
	unitRate  = "requests/s"
)

// Results are what a run has found.
type Results struct {
	Origin  report.Origin `json:"origin"`
	Quick   bool          `json:"quick,omitempty"`
	Plan    plan          `json:"plan"`
	Cluster cluster       `json:"cluster"`
	Images  []Image       `json:"images"`
	Figures []*figure     `json:"figures"`
	Notes   []string      `json:"notes,omitempty"`
	LeftOut []string      `json:"left_out"`
}

// cluster is where it was measured.
type cluster struct {
	Context    string `json:"context"`
	Kubernetes string `json:"kubernetes"` // the control plane's version
	Kubelet    string `json:"kubelet"`
	Containerd string `json:"container_runtime"`
	Runc       string `json:"runc,omitempty"` // and the shim's below: where a privileged pod could look
	Mayfly     string `json:"mayfly,omitempty"`
	Kernel     string `json:"kernel"`
	System     string `json:"system"`
	Node       string `json:"node"` // of the pods that were measured one by one
	Nodes      int    `json:"nodes"`
	Class      string `json:"runtime_class"`
}

// figure is one sample. Times are in microseconds.
type figure struct {
	Part  Part      `json:"part"`
	Name  string    `json:"name"`
	Of    string    `json:"of"` // the name of a subject
	Title string    `json:"-"`
	Unit  string    `json:"unit"`
	P50   float64   `json:"p50"`
	P99   float64   `json:"p99,omitempty"`  // of at least 100
	P999  float64   `json:"p999,omitempty"` // of at least 1000
	Max   float64   `json:"max"`
	N     int       `json:"n"`
	Bad   int       `json:"failed"`
	Why   string    `json:"why_failed,omitempty"`
	Each  []float64 `json:"rounds"` // the middle of each; 0 where there is none, so that the n-th is of the n-th round for every subject
	// Over are the rounds divided by those of the ordinary server in its container.
	Over         *figures.Spread    `json:"over_container,omitempty"`
	Distribution []figures.Quantile `json:"distribution,omitempty"`

	values []float64
}

// figure is the one of that part, name and subject; a new one if there is none.
func (r *Results) figure(part Part, name, unit string, of subject) *figure {
	for _, f := range r.Figures {
		if f.Part == part && f.Name == name && f.Of == of.name {
			return f
		}
	}
	f := &figure{Part: part, Name: name, Of: of.name, Title: of.title, Unit: unit}
	r.Figures = append(r.Figures, f)
	return f
}

// find returns a figure, nil if there is none.
func (r *Results) find(part Part, name, of string) *figure {
	i := slices.IndexFunc(r.Figures, func(f *figure) bool { return f.Part == part && f.Name == name && f.Of == of })
	if i < 0 {
		return nil
	}
	return r.Figures[i]
}

// add adds the values of a round; none where nothing was measured in it.
func (f *figure) add(values ...float64) {
	f.values = append(f.values, values...)
	f.Each = append(f.Each, figures.SpreadOf(values).Median)
}

// addTimes adds those of a turn: its failures too.
func (f *figure) addTimes(a order.Answer) {
	values := make([]float64, len(a.Times))
	for i, t := range a.Times {
		values[i] = figures.Microseconds(t)
	}
	f.add(values...)
	f.fail(a.Failed, a.Why)
}

// addSome adds the value of a round, in which nothing was measured if it is not positive.
func (f *figure) addSome(v float64) {
	if v > 0 {
		f.add(v)
	} else {
		f.add()
	}
}

// addRate adds how much was answered in a second of a turn.
func (f *figure) addRate(a order.Answer) {
	if a.Spent > 0 {
		f.add(float64(a.N) / a.Spent.Seconds())
	} else {
		f.add()
	}
	f.fail(a.Failed, a.Why)
}

func (f *figure) fail(n int, why string) {
	f.Bad += n
	if f.Why == "" {
		f.Why = why
	}
}

// sum makes the figures of what was added.
func (r *Results) sum() {
	r.Figures = slices.DeleteFunc(r.Figures, func(f *figure) bool { return len(f.values) == 0 && f.Bad == 0 })
	for _, f := range r.Figures {
		sorted := slices.Sorted(slices.Values(f.values))
		f.N = len(sorted)
		if f.N == 0 {
			continue
		}
		at := func(q float64) float64 { return sorted[max(int(math.Ceil(q*float64(f.N))), 1)-1] } // as figures.Sample has it
		f.P50, f.Max = at(0.5), sorted[f.N-1]
		if f.N >= 100 {
			f.P99 = at(0.99)
		}
		if f.N >= 1000 {
			f.P999 = at(0.999)
		}
		if f.Unit == unitTime {
			f.Distribution = distribution(sorted)
		}
	}
	for _, f := range r.Figures {
		if base := r.find(f.Part, f.Name, server); base != nil && base != f && f.N > 0 && base.N > 0 {
			if over := figures.Ratio(f.Each, base.Each); over != (figures.Spread{}) {
				f.Over = &over
			}
		}
	}
}

// remarks are what is to be read beside the figures.
func (r *Results) remarks() (all []string) {
	for _, t := range topics {
		for _, f := range r.of(t) {
			if f.Bad > 0 {
				all = append(all, fmt.Sprintf("(%s) %s, %s: %d failed, the first with: %s", f.Part, t.title, f.Title, f.Bad, f.Why))
			}
		}
	}
	all = append(all, r.Notes...)
	for _, l := range r.LeftOut {
		all = append(all, "Left out: "+l)
	}
	return all
}

// distribution is that of times that are sorted.
func distribution(sorted []float64) []figures.Quantile {
	times := make(figures.Times, len(sorted))
	for i, v := range sorted {
		times[i] = time.Duration(v * float64(time.Microsecond))
	}
	return figures.Distribution(times)
}

// slow is the slow end of a sample, as far as there are enough to tell.
func (f *figure) slow() float64 {
	if f.P99 > 0 {
		return f.P99
	}
	return f.Max
}

// in is the unit that a chart has for it.
func (f *figure) in() report.Unit {
	switch f.Unit {
	case unitBytes:
		return report.Bytes
	case unitRate:
		return report.PerSecond
	}
	return report.Microseconds
}

// Write writes the results as JSON.
func (r *Results) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Save writes them to a file, in a directory that is made.
func (r *Results) Save(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(r.Write(f), f.Close())
}
