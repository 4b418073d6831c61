//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/internal/report"
)

// topic is what figures are about whose names begin alike: a section of the page.
type topic struct {
	prefix string
	title  string
	text   string
	// curves says that whole distributions are drawn too.
	curves bool
}

var topics = []topic{
	{"fresh-instance/", "A fresh instance",
		"For each request mayfly makes a new instance of the program: memory as its author left it, nothing of the request before. This is the time that takes and the program's own run, until the answer begins; inside the engine, without the network.", true},
	{"request/", "A request in a pod",
		"The same as a client in the pod sees it: from sending the request to having the whole answer, over the pod's loopback, on a connection that is kept, one request after the other.", true},
	{"reset/", "The end of an instance",
		"After the answer an instance ends, and the memory that it has changed is made what it was, for the next. Nobody waits for that, but it takes the processor's time. The stroke is the slowest tenth of the run.", false},
	{"component-load/", "Loading, the first time",
		"Before a program can run it is read, checked, linked and compiled for this machine.", false},
	{"cache-load/", "Loading what was compiled before",
		"A node compiles a program once and keeps the result. This is the time to load that: what an engine does that starts later.", false},
	{"wake/", "The first request after deep idle",
		"When nobody asks for long, the engine ends and only a small process waits. This is the request that finds no engine: from connecting to the whole answer, with a new engine in between.", false},
	{"container-start/", "Starting a container",
		"A sidecar is a container of its pod. From the request to create it to its first answer, beside an ordinary program in a container of runc.", false},
	{"inflight-10000/", "Ten thousand at once",
		"Ten thousand requests wait in one engine, each in an instance of its own. Meanwhile others ask short questions: this is how long those take.", true},
	{"inflight-10000-memory/", "The memory of ten thousand at once",
		"What the engine has for itself while ten thousand instances live in it.", false},
	{"idle-memory/", "Memory at rest",
		"What processes have for themselves while nobody asks anything: the shim of a pod, the holder that waits for requests of a sidecar, the engine that has loaded the C program (CGI) and was not asked yet; beside them the shim of a pod with ordinary containers, and an ordinary program in one.", false},
}

// programs are the guests, in the order that they and their colours have everywhere on the page.
var programs = []string{"c", "rust", "go", "js", "c-cgi", "rust-cgi", "go-cgi"}

// series is that of the program which a figure is of; all that is of none has the one after them.
func (f figure) series(t topic) int {
	if i := slices.Index(programs, strings.TrimPrefix(f.Name, t.prefix)); i >= 0 {
		return i
	}
	return len(programs)
}

// names are those of guests, for a person.
var names = map[string]string{
	"c": "C", "rust": "Rust", "go": "Go", "js": "JavaScript", "c-cgi": "C (CGI)", "rust-cgi": "Rust (CGI)", "go-cgi": "Go (CGI)",
	"shim": "shim of mayfly: private memory", "runc-shim": "shim of runc: private memory", "holder": "holder: private memory",
	"engine": "engine: private memory", "native": "ordinary program: private memory",
	"runc": "ordinary container", "mayfly": "sidecar",
}

// of is what a figure is of.
func (f figure) of(t topic) string {
	rest := strings.TrimPrefix(f.Name, t.prefix)
	if name, ok := names[rest]; ok {
		return name
	}
	return rest
}

// page is the report of all figures.
func page(all []figure, origin report.Origin, left []string, quick bool) report.Page {
	p := report.Page{
		Title: "mayfly: what a cold start costs",
		Lead: []string{
			"mayfly runs small programs, compiled to WebAssembly, beside the containers of a Kubernetes pod. Such a program costs next to nothing while nobody asks it anything. " +
				"A request starts a new instance of it, which answers and is gone: every start is a cold one, so that no request can see what another has left behind.",
			"Here is what that costs. The programs tell the time and draw a random number; there is one in each of several languages, as the tools of those languages make them " +
				"(examples/time in the repository). Those marked CGI are plain modules that speak CGI, the others components for wasi:http.",
		},
		Origin: origin,
		Again:  []string{"git clone https://github.com/mayfly-run/mayfly && cd mayfly", command + "   # root for what runs on containerd"},
		Caveats: []string{
			"p50 is what half of the sample stayed below, p99 what 99 of 100 did: how often it was measured stands beside it. The first tenth of each sample of requests is left out.",
			"Client, engine and containerd share the processors of one machine. Run it twice before you believe a small difference.",
			"The client asks again when it has its answer: while the engine stalls nobody asks.",
		},
	}
	if quick {
		p.Lead = append(p.Lead, "This was a quick run, with -quick: it shows that all works. Samples are small, memory was read early, and the figures are no more than a hint.")
		p.Again[1] = quickCommand + "   # without -quick for figures to rely on"
	}
	for _, l := range left {
		p.Caveats = append(p.Caveats, "Left out: "+l)
	}
	if s := inShort(all); len(s.Parts) > 0 {
		p.Sections = append(p.Sections, s)
	}
	for _, t := range append(slices.Clone(topics), topic{title: "Other figures"}) {
		some := slices.DeleteFunc(slices.Clone(all), func(f figure) bool { return !t.has(f) })
		if len(some) > 0 {
			slices.SortStableFunc(some, func(a, b figure) int { return a.series(t) - b.series(t) })
			p.Sections = append(p.Sections, t.section(some))
		}
	}
	return p
}

// inShort is a line for each program, of what one would ask first.
func inShort(all []figure) report.Section {
	columns := []struct{ head, prefix string }{
		{"a fresh instance", "fresh-instance/"}, {"a request in a pod", "request/"}, {"end of an instance", "reset/"},
		{"load", "component-load/"}, {"load, compiled before", "cache-load/"}, {"after deep idle", "wake/"},
	}
	t := &report.Table{Words: 1, Head: []string{"program"}}
	for _, c := range columns {
		t.Head = append(t.Head, c.head)
	}
	for _, guest := range programs {
		row := []string{names[guest]}
		some := false
		for _, c := range columns {
			i := slices.IndexFunc(all, func(f figure) bool { return f.Name == c.prefix+guest })
			if i < 0 {
				row = append(row, "–")
				continue
			}
			some = true
			row = append(row, all[i].in().Format(all[i].P50))
		}
		if some {
			t.Rows = append(t.Rows, row)
		}
	}
	s := report.Section{ID: "short", Title: "In short", Text: []string{"The time that half of each sample stayed below; what each column is stands further down."}}
	if len(t.Rows) > 0 {
		s.Parts = []report.Part{{Table: t, Open: true}}
	}
	return s
}

// has tells whether a figure is about the topic; the topic without a prefix has what no other has.
func (t topic) has(f figure) bool {
	if t.prefix != "" {
		return strings.HasPrefix(f.Name, t.prefix)
	}
	return !slices.ContainsFunc(topics, func(other topic) bool { return strings.HasPrefix(f.Name, other.prefix) })
}

func (t topic) section(some []figure) report.Section {
	s := report.Section{ID: strings.Trim(t.prefix, "/"), Title: t.title}
	if t.text != "" {
		s.Text = []string{t.text}
	}
	if s.ID == "" {
		s.ID = "other"
	}
	numbers := &report.Table{Words: 1, Head: []string{"figure", "p50", "p99", "p99.9", "n"}}
	var hows []string
	for _, f := range some {
		p999 := "–"
		if f.P999 > 0 {
			p999 = f.in().Format(f.P999)
		}
		numbers.Rows = append(numbers.Rows, []string{f.Name, f.in().Format(f.P50), f.slow(), p999, fmt.Sprint(f.N)})
		if !slices.Contains(hows, f.How) {
			hows = append(hows, f.How)
		}
	}
	s.Parts = append(s.Parts, report.Part{Chart: t.chart(some), Table: numbers})
	if t.curves {
		s.Parts = append(s.Parts, report.Part{Title: "Every one, from the fastest to the slowest", Chart: t.distributions(some)})
	}
	s.Text = append(s.Text, "Measured "+strings.Join(hows, "; ")+".")
	return s
}

// chart is of the one kind that fits: times have a slow end, memory has none.
func (t topic) chart(some []figure) report.Chart {
	if some[0].Unit == unitBytes {
		bars := report.Bars{Axis: "memory", Unit: report.Bytes}
		for _, f := range some {
			bars.Rows = append(bars.Rows, report.Bar{Label: f.of(t), Note: report.Bytes.Format(f.P50), Series: f.series(t), Value: f.P50})
		}
		return bars
	}
	ranges := report.Ranges{Axis: "time", Unit: report.Microseconds}
	for _, f := range some {
		r := report.Range{Label: f.of(t), Note: f.in().Format(f.P50) + ", once", Series: f.series(t), P50: f.P50}
		if f.N > 1 {
			r.Note, r.P99, r.P999 = fmt.Sprintf("%s (p99 %s)", f.in().Format(f.P50), f.slow()), f.P99, f.P999
		}
		ranges.Rows = append(ranges.Rows, r)
	}
	return ranges
}

func (t topic) distributions(some []figure) report.Chart {
	curves := report.Curves{Axis: "the slow end on the right", Unit: report.Microseconds}
	for _, f := range some {
		line := report.Curve{Label: f.of(t), Series: f.series(t)}
		for _, d := range f.Distribution {
			line.Q, line.V = append(line.Q, d.Q), append(line.V, d.V)
		}
		curves.Lines = append(curves.Lines, line)
	}
	return curves
}
