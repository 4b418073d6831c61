package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/guests"
)

// mapped is what a process has of the memory of some files, or of all, in KiB.
type mapped struct{ rss, pss, private, own int }

// mappedBy sums the mappings of a process whose file's path has something in it; all of them for "".
func mappedBy(t testing.TB, pid int, path string) (sum mapped) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		t.Fatal(err)
	}
	counts := false
	for line := range strings.Lines(string(b)) {
		name, _, _ := strings.Cut(line, " ")
		if !strings.HasSuffix(name, ":") { // the head of a mapping
			counts = strings.Contains(line, path)
			continue
		}
		var n int
		if !counts {
			continue
		}
		if _, err := fmt.Sscanf(line[len(name):], "%d kB", &n); err != nil {
			continue
		}
		switch name {
		case "Rss:":
			sum.rss += n
		case "Pss:":
			sum.pss += n
		case "Private_Clean:", "Private_Dirty:": // or of a file, and nobody else has touched it yet
			sum.private += n
		case "Anonymous:":
			sum.own += n
		}
	}
	return sum
}

// engines starts some with the same module, and has each answer a request.
func engines(t testing.TB, n int, module string, compiled *os.File) (all []*process) {
	t.Helper()
	for range n {
		at := listen(t)
		p := start{module: module, env: []string{"MAYFLY_IDLE_TIMEOUT=never", "MAYFLY_TRIGGER=http"}, listen: []*os.File{at.file}, compiled: compiled}.run(t)
		p.expect(control.Ready)
		for range 3 {
			if code, _, err := at.get("/hello"); code != 200 || err != nil {
				t.Fatalf("got %d, %v", code, err)
			}
		}
		all = append(all, p)
	}
	return all
}

func TestEnginesShareTheirCode(t *testing.T) {
	module := component(t, "http")
	dir := compiledCode(t, module)
	for _, p := range engines(t, 2, module, dir) {
		m := mappedBy(t, p.cmd.Process.Pid, dir.Name()+"/code-")
		if m.rss == 0 || m.own != 0 {
			t.Errorf("%+v KiB", m)
		}
	}
}

// BenchmarkFourEngines: how much memory does an engine take that is one of four with the same module, with compiled code and without, in KiB?
func BenchmarkFourEngines(b *testing.B) {
	for _, g := range []struct{ name, component string }{{"c", "time-c"}, {"rust", "time-rust"}, {"go", "time-go"}, {"js", "time-javascript"}} {
		wasm, ok := guests.Built(g.component)
		if !ok {
			continue
		}
		module := filepath.Join(b.TempDir(), "app.wasm")
		if err := os.WriteFile(module, wasm, 0o600); err != nil {
			b.Fatal(err)
		}
		for _, how := range []string{"entry", "plain"} {
			if how == "plain" && len(wasm) > 4<<20 {
				continue // four compilers at once take longer than the tests wait
			}
			b.Run(g.name+"/"+how, func(b *testing.B) {
				var dir *os.File
				if how == "entry" {
					dir = compiledCode(b, module)
				}
				for b.Loop() {
					all := engines(b, 4, module, dir)
					var private, pss int
					for _, p := range all {
						m := mappedBy(b, p.cmd.Process.Pid, "")
						private, pss = private+m.private, pss+m.pss
					}
					b.ReportMetric(float64(private/len(all)), "private-KiB")
					b.ReportMetric(float64(pss/len(all)), "pss-KiB")
					for _, p := range all {
						p.signal(syscall.SIGTERM)
						p.exit()
					}
				}
			})
		}
	}
}
