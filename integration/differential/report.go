package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/mayfly-run/mayfly/integration/peers"
)

// report is what a run found.
type report struct {
	servers  []*tally
	stale    []which
	unsteady []string // differed once, and not when asked again
	asked    map[which]bool
	mayfly   *peers.Server
}

// tally is what one server's answers were.
type tally struct {
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	Requests  int       `json:"requests"`
	Same      int       `json:"same"`
	Known     int       `json:"known"`
	Different int       `json:"different"`
	Unserved  []string  `json:"unserved,omitempty"` // components that it does not serve, and how that ended
	LeftOut   []string  `json:"left_out,omitempty"` // components that it cannot serve here, and why
	Verdicts  []verdict `json:"differences"`
}

// verdict is a difference and its reason, if it has one.
type verdict struct {
	which
	ours, theirs, reason string
}

// MarshalJSON implements json.Marshaler.
func (v verdict) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Request string `json:"request"`
		Aspect  string `json:"aspect"`
		Mayfly  string `json:"mayfly"`
		Theirs  string `json:"theirs"`
		Reason  string `json:"reason,omitempty"`
	}{v.request, v.aspect, v.ours, v.theirs, v.reason})
}

func newReport(mayfly *peers.Server, others []*peers.Server) *report {
	r := &report{mayfly: mayfly, asked: map[which]bool{}}
	for _, p := range others {
		r.servers = append(r.servers, &tally{Name: p.Name, Version: p.Version})
	}
	return r
}

func (r *report) tally(s *peers.Server) *tally {
	for _, t := range r.servers {
		if t.Name == s.Name {
			return t
		}
	}
	panic("no server " + s.Name)
}

func (r *report) unserved(s *peers.Server, c *component, why error) {
	t := r.tally(s)
	t.Unserved = append(t.Unserved, c.name+": "+why.Error())
}

func (r *report) leftOut(s *peers.Server, c *component, why string) {
	t := r.tally(s)
	t.LeftOut = append(t.LeftOut, c.name+": "+why)
}

// add notes how a server's answer to a request differs.
func (r *report) add(s *peers.Server, id string, verdicts []verdict) {
	t := r.tally(s)
	t.Requests++
	r.asked[which{server: s.Name, request: id}] = true
	known := true
	for _, v := range verdicts {
		known = known && v.reason != ""
	}
	switch {
	case len(verdicts) == 0:
		t.Same++
	case known:
		t.Known++
	default:
		t.Different++
	}
	t.Verdicts = append(t.Verdicts, verdicts...)
}

func (r *report) wasAsked(server, request string) bool {
	return r.asked[which{server: server, request: request}]
}

// good reports whether nothing was found that has no reason.
func (r *report) good() bool {
	for _, t := range r.servers {
		if t.Different > 0 || len(t.Unserved) > 0 {
			return false
		}
	}
	return len(r.stale) == 0
}

// print writes the report for people; all says whether to tell known differences too.
func (r *report) print(w io.Writer, all bool) error {
	fmt.Fprintf(w, "compared with %s\n", r.mayfly.Version)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\trequests\tsame\tknown\tdifferent\t")
	for _, t := range r.servers {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t\n", t.Version, t.Requests, t.Same, t.Known, t.Different)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, t := range r.servers {
		for _, why := range t.Unserved {
			fmt.Fprintf(w, "%s does not serve %s\n", t.Name, why)
		}
		for _, why := range t.LeftOut {
			fmt.Fprintf(w, "%s was not asked to serve %s\n", t.Name, why)
		}
		for _, v := range t.Verdicts {
			if v.reason == "" {
				fmt.Fprintf(w, "%v: mayfly %s; %s %s\n", v.which, v.ours, t.Name, v.theirs)
			} else if all {
				fmt.Fprintf(w, "%v: mayfly %s; %s %s\n    %s\n", v.which, v.ours, t.Name, v.theirs, v.reason)
			}
		}
	}
	for _, id := range r.unsteady {
		fmt.Fprintf(w, "%s: differed once, and not when asked again\n", id)
	}
	for _, s := range r.stale {
		fmt.Fprintf(w, "%v: the same now: remove it from known.txt\n", s)
	}
	return nil
}

// writeJSON writes the report for programs.
func (r *report) writeJSON(w io.Writer) error {
	stale := make([]string, len(r.stale))
	for i, s := range r.stale {
		stale[i] = s.String()
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Mayfly   string   `json:"mayfly"`
		Servers  []*tally `json:"servers"`
		Unsteady []string `json:"unsteady,omitempty"`
		Stale    []string `json:"stale,omitempty"`
	}{r.mayfly.Version, r.servers, r.unsteady, stale})
}
