package tool

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mayfly-run/mayfly/internal/control"
)

// watchEvery is how often top --watch looks: an engine sends its figures each second.
const watchEvery = time.Second

// picture is what top shows.
type picture struct {
	Doing    string          `json:"doing"`
	Ready    bool            `json:"ready"`
	Sentence string          `json:"sentence"`
	Engines  uint64          `json:"engines"`  // so far
	Wakes    uint64          `json:"wakes"`    // of them, those that a request started
	Failures uint64          `json:"failures"` // in a row
	Probes   uint64          `json:"probes"`   // answered while there was none
	Last     control.Figures `json:"lastEngine"`
	Memory   memory          `json:"memory"`
	CPU      float64         `json:"cpuSeconds"` // of the container, since it is there
}

// top shows what the sidecar does and takes.
func (t *tool) top(ctx context.Context, args []string) error {
	var form string
	var watch bool
	f := flag.NewFlagSet("top", flag.ContinueOnError)
	f.StringVar(&form, "o", "", "")
	f.BoolVar(&watch, "watch", false, "")
	f.BoolVar(&watch, "w", false, "")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 || form != "" && form != "json" {
		return usagef("top takes -o json and --watch")
	}
	for first := true; ; first = false {
		p, err := t.look()
		if err != nil {
			return fmt.Errorf("top: %w", err)
		}
		var text strings.Builder
		switch {
		case form == "json":
			err = json.NewEncoder(&text).Encode(p)
		case watch && isTerminal(t.stdout):
			text.WriteString("\x1b[H\x1b[J")
			err = p.write(&text)
		default:
			if !first {
				text.WriteByte('\n')
			}
			err = p.write(&text)
		}
		if err == nil {
			_, err = io.WriteString(t.stdout, text.String())
		}
		if err != nil || !watch {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}

func (t *tool) look() (*picture, error) {
	s, err := control.Ask(t.socket)
	if err != nil {
		return nil, err
	}
	return &picture{
		Doing: s.Doing, Ready: s.Ready, Sentence: printable(s.Sentence), Engines: s.Engines, Wakes: s.Wakes, Failures: s.Failures, Probes: s.Probes,
		Last: control.ParseFigures(string(s.Figures)), Memory: t.memory(s.Holder, s.Engine), CPU: t.cpu(),
	}, nil
}

// write writes p for a person.
func (p *picture) write(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	last := "the last engine"
	if p.Memory.Engine > 0 {
		last = "this engine"
	}
	f := &p.Last
	fmt.Fprintf(tw, "STATE\t%s\n", p.Sentence)
	fmt.Fprintf(tw, "ENGINES\t%d so far, %d woken by requests, %d failures in a row\n", p.Engines, p.Wakes, p.Failures)
	fmt.Fprintf(tw, "PROBES\t%d answered asleep, %d by %s\n", p.Probes, f.Probes, last)
	if f.Limit > 0 {
		fmt.Fprintf(tw, "REQUESTS\t%d done, %d in flight, %d of them queued, %d refused, %d failed; of %s\n",
			f.Requests, f.InFlight, f.Queued, f.Refused, f.Failed, last)
		fmt.Fprintf(tw, "INSTANCES\t%d alive, %d at most\n", f.Instances, f.Limit)
	}
	fmt.Fprintf(tw, "MEMORY\t%s\n", p.Memory)
	fmt.Fprintf(tw, "CPU\t%.2f s of the container\n", p.CPU)
	return tw.Flush()
}
