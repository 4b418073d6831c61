package clusterbench

import (
	"fmt"
	"strings"

	"github.com/mayfly-run/mayfly/internal/figures"
	"github.com/mayfly-run/mayfly/internal/report"
)

// sections are those of the page, each of the topics of a part.
var sections = map[Part]struct{ id, title, text string }{
	Starts: {"start", "Starting a pod",
		"A pod is made, becomes Ready, is asked once and goes; then one of the next kind. What is compiled is compiled before. Ready is what kubelet says: of a sidecar of mayfly it means that the program is loaded and answers, of a container that its process was started."},
	First: {"first", "The first request of a new pod",
		"The main container asks its sidecar for the first time, when the pod has just become Ready. Nobody has had an instance in that engine before."},
	Wake: {"idle", "The first request after deep idle",
		"When nobody asks for long the engine ends, and only a small process waits. This is the request that finds no engine: from connecting to the whole answer, with a new engine in between. A container beside it was there all the time: that is what its memory buys."},
	Requests: {"requests", "Requests, with a warm engine",
		"Each request to a sidecar of mayfly has a fresh instance, that nobody had before; a container is one process for all. They are asked in turns, in one pod, by its main container over localhost. The fixed answer is that of a program that does nothing: what the client and the loopback cost, which is in every other figure too."},
	Memory: {"memory", "Memory at rest",
		"What pods hold while nobody asks anything. Private memory is what is free again when the process ends; PSS adds each process's share of what several have."},
	Together: {"together", "Many pods woken at the same moment",
		"Every pod gets one request at the same moment. None has an engine: so many engines start at once, on the processors there are. The containers are asked the same way."},
}

// Page is the report.
func (r *Results) Page() report.Page {
	p := report.Page{
		Title: "mayfly on Kubernetes: what a cold start costs",
		Lead: []string{
			"mayfly runs small programs, compiled to WebAssembly, beside the containers of a Kubernetes pod. A request starts a new instance of the program, which answers and is gone: every start is a cold one.",
			"Here is what that costs on a real cluster, seen from inside of the pods, beside the same pods with an ordinary container in the sidecar's place, and without any. The programs tell the time and draw a random number " +
				"(examples/time in the repository); the Go server does the same in a container of runc, and nginx serves a page.",
		},
		Origin: r.Origin,
		Again:  []string{"git clone https://github.com/mayfly-run/mayfly && cd mayfly", "make bench-kind   # or, on a cluster of yours:", "make build bench-images REGISTRY=registry.example/team", "bin/mayfly bench cluster --context CONTEXT", "", "# this page is of", r.Origin.Command},
		Caveats: []string{
			"p50 is what half of the sample stayed below, p99 what 99 of 100 did; with fewer than 100 the slowest stands instead. How often it was measured stands beside each figure, and so does how often it failed.",
			"Ratios are of the same round of the same run, the middle of all rounds, with the least and the most of them.",
			"The clients ask again when they have their answer: while a server stalls nobody asks. They share the processors with what they ask.",
			"Before anything is timed one pod with every image has run on the node; the first round of the parts (c) and (d) is not counted. Files are in the kernel's cache: a node that has not run a sidecar for days reads them from its disk.",
		},
	}
	for _, m := range r.machine()[:2] {
		p.Origin.More = append(p.Origin.More, report.Fact{Name: m[0], Text: m[1]})
	}
	for _, i := range r.Images {
		p.Origin.More = append(p.Origin.More, report.Fact{Name: "image " + i.Name, Text: i.Ref})
	}
	if r.Quick {
		p.Lead = append(p.Lead, "This was a quick run: it shows that all works. Samples are small, and the figures are no more than a hint.")
	}
	if r.busy() {
		p.Lead = append(p.Lead, fmt.Sprintf("The machine had other work: its load was %s before (in 1, 5, 15 minutes), with %d processors. Ratios within a round tell more then than times.", r.Origin.Load, r.Origin.CPUs))
	}
	p.Caveats = append(p.Caveats, r.remarks()...)
	short := report.Section{ID: "short", Title: "In short", Text: []string{"The middle of each sample, and in brackets what 99 of 100 stayed below; what each column is stands further down."}}
	for _, columns := range [][]column{shortTimes, shortAmounts} {
		if rows := r.short(columns); len(rows) > 0 {
			short.Parts = append(short.Parts, report.Part{Table: &report.Table{Words: 1, Head: rows[0], Rows: rows[1:]}, Open: true})
		}
	}
	p.Sections = append(p.Sections, short)
	for _, part := range Parts {
		if s := r.section(part.Part); len(s.Parts) > 0 {
			p.Sections = append(p.Sections, s)
		}
	}
	return p
}

// busy tells whether there was more to do than processors can, before the run.
func (r *Results) busy() bool {
	var load float64
	_, err := fmt.Sscan(strings.TrimSuffix(strings.SplitN(r.Origin.Load, " ", 2)[0], ","), &load)
	return err == nil && load > float64(r.Origin.CPUs)
}

func (r *Results) section(part Part) report.Section {
	d := sections[part]
	s := report.Section{ID: d.id, Title: d.title, Text: []string{d.text}}
	for _, group := range groups[part] {
		var all []*figure
		var hows []string
		t := &report.Table{Words: 2, Head: []string{"", "of", "p50", "p99", "p99.9", "worst", "÷ " + r.title(server), "n", "failed"}}
		for _, topic := range topics {
			if topic.part != part || !group.has(topic.name) {
				continue
			}
			some := r.of(topic)
			for _, f := range some {
				t.Rows = append(t.Rows, append([]string{topic.title}, f.columns()...))
			}
			if len(some) > 0 {
				all = append(all, some...)
				hows = append(hows, capital(strings.TrimPrefix(topic.title, "… "))+": "+topic.how+".")
			}
		}
		if len(all) == 0 {
			continue
		}
		s.Parts = append(s.Parts, report.Part{Title: group.title, Chart: chart(all, len(group.names) > 1), Table: t})
		if group.curves {
			s.Parts = append(s.Parts, report.Part{Title: "Every one, from the fastest to the slowest", Chart: distributions(all)})
		}
		s.Text = append(s.Text, strings.Join(hows, " "))
	}
	return s
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// group is what stands in one chart.
type group struct {
	title  string
	names  []string
	curves bool
}

func (g group) has(name string) bool {
	for _, n := range g.names {
		if n == name {
			return true
		}
	}
	return false
}

var groups = map[Part][]group{
	Starts: {
		{"From create to Ready", []string{figReady}, false},
		{"Its parts, as the watch sees them", []string{figScheduled, figSandbox, figRest}, false},
		{"What kubelet waits for containerd", []string{"kubelet-sandbox", "kubelet-create", "kubelet-start"}, false},
	},
	First: {{"", []string{figFirst}, false}},
	Wake:  {{"", []string{figWake}, false}},
	Requests: {
		{"One client, a connection that is kept", []string{"kept"}, true},
		{"One client, a new connection each time", []string{"anew"}, true},
		{"How much in a second", []string{"rate-8", "rate-64"}, false},
	},
	Memory: {
		{"A sidecar", []string{figSidecar, figLoaded}, false},
		{"The shim of its pod", []string{figShim}, false},
		{"The pod as a whole, its shim included", []string{figPod}, false},
		{"As kubelet counts", []string{figKubeletSidecar, figKubeletPod}, false},
	},
	Together: {{"", []string{figTogether}, true}},
}

// chart is of the kind that fits: times have a slow end, amounts have none.
func chart(all []*figure, grouped bool) report.Chart {
	groupOf := func(f *figure) string {
		if !grouped {
			return ""
		}
		for _, t := range topics {
			if t.part == f.Part && t.name == f.Name {
				return t.title
			}
		}
		return ""
	}
	if all[0].Unit != unitTime {
		bars := report.Bars{Axis: "memory", Unit: all[0].in()}
		if all[0].Unit == unitRate {
			bars.Axis = "right answers in a second"
		}
		bars.Axis += " (× is the ratio to the server in a container)"
		for _, f := range all {
			note := bars.Unit.Format(f.P50)
			if f.Over != nil {
				note += fmt.Sprintf(", × %s", figures.Three(f.Over.Median))
			}
			bars.Rows = append(bars.Rows, report.Bar{Group: groupOf(f), Label: f.Title, Note: note, Series: seriesOf(f.Of), Value: f.P50, Low: lowOf(f), High: f.Max})
		}
		return bars
	}
	ranges := report.Ranges{Axis: "time", Unit: report.Microseconds}
	for _, f := range all {
		note := fmt.Sprintf("%s (slowest of %d: %s)", f.in().Format(f.P50), f.N, f.in().Format(f.Max))
		if f.P99 > 0 {
			note = fmt.Sprintf("%s (p99 %s)", f.in().Format(f.P50), f.in().Format(f.P99))
		}
		if f.Bad > 0 {
			note += fmt.Sprintf(", %d failed", f.Bad)
		}
		ranges.Rows = append(ranges.Rows, report.Range{Group: groupOf(f), Label: f.Title, Note: note, Series: seriesOf(f.Of), P50: f.P50, P99: f.slow(), P999: f.P999})
	}
	return ranges
}

func lowOf(f *figure) float64 {
	if len(f.values) == 0 {
		return 0
	}
	return least(f.values)
}

func distributions(all []*figure) report.Chart {
	curves := report.Curves{Axis: "the slow end on the right", Unit: report.Microseconds}
	for _, f := range all {
		line := report.Curve{Label: f.Title, Series: seriesOf(f.Of)}
		for _, d := range f.Distribution {
			line.Q, line.V = append(line.Q, d.Q), append(line.V, d.V)
		}
		curves.Lines = append(curves.Lines, line)
	}
	return curves
}
