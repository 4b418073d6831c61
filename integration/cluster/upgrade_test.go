//go:build linux

package cluster

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// What a node needs of mayfly.
const (
	shimProgram   = "containerd-shim-mayfly-v1"
	holderProgram = "mayfly-init"
	engineProgram = "mayfly-engine"
)

// containerdUpgraded needs a cluster of its own: containerd's database does not
// go back to an older version.
func containerdUpgraded(e *env) {
	old := e.another(lab.Containerd17)
	before, err := old.cluster.Node.Settled()
	old.check(err)
	old.apply(pair("before"))
	old.ready("before")
	l := old.load("before", 8080)
	old.cluster.Containerd.Kill()
	l.more(100)
	old.cluster.Containerd.Install = e.cluster.Containerd.Install
	old.check(old.cluster.Containerd.Start(old.ctx))
	l.more(100)
	old.apply(pair("after"))
	old.ready("after")
	l.stop()
	old.undisturbed("after")

	old.equal("the answer to a person in the old pod", old.get("before", "http://localhost:8080"), "1")
	old.contains("the old pod's log", old.logs("before", "side"), "ready")
	old.killSidecar("before")
	old.equal("the answer of the sidecar that was started again", old.get("before", "http://localhost:8080"), "1")
	old.kubectl("delete", "pod", "before", "--wait=false")
	old.gone("before")

	old.check(old.cluster.collect(old.ctx))
	left, err := old.cluster.Node.Leaks(before)
	old.check(err)
	// Containerd itself is another, and has a socket more.
	left = slices.DeleteFunc(left, func(l string) bool {
		return strings.HasSuffix(l, "/containerd.toml") || strings.Contains(l, "/run/nri")
	})
	if len(left) > 0 {
		old.Errorf("something is left behind:\n%s", strings.Join(left, "\n"))
	}
}

// another is the scenario on another cluster.
func (e *env) another(version string) *env {
	e.Helper()
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	e.check(err)
	install, err := cache.Containerd(version)
	e.check(err)
	c, err := Up(e.ctx, cache, Options{Install: install, Mayfly: e.cluster.options.Mayfly})
	e.check(err)
	e.Cleanup(func() {
		if err := c.Down(); err != nil {
			e.Error(err)
		}
	})
	e.check(c.ImportAll(e.ctx, cache))
	p, err := newPlace(c, c.Kubeconfig(), e.TempDir())
	e.check(err)
	o := &env{T: e.T, ctx: e.ctx, cfg: p.environment.EnvConf(), runtime: e.runtime, cluster: c, place: p}
	o.begin("on containerd " + version)
	e.Cleanup(func() {
		if e.Failed() {
			e.Log(o.diagnosis())
		}
	})
	return o
}

// killSidecar kills the sidecar of the only pod that has one, and waits until
// kubelet has started it again.
func (e *env) killSidecar(pod string) {
	e.Helper()
	ps := e.processes("/.mayfly/init")
	e.equal("sidecars on the node", len(ps), 1)
	e.check(e.cluster.Node.Signal(e.ctx, ps[0].Pid, syscall.SIGKILL))
	e.eventually("the sidecar is started again", func() bool {
		for _, st := range e.pod(pod).Status.ContainerStatuses {
			if st.Name == "side" {
				return st.RestartCount == 1 && st.Ready
			}
		}
		return false
	})
}

// processes are those on the node whose first argument ends in name.
func (e *env) processes(name string) []lab.Process {
	e.Helper()
	ps, err := e.cluster.Node.Processes()
	e.check(err)
	return slices.DeleteFunc(ps, func(p lab.Process) bool { return !strings.HasSuffix(p.Args[0], name) })
}

func mayflyUpgraded(e *env) {
	dir := e.cluster.options.Mayfly
	old, now := map[string]os.FileInfo{}, map[string]os.FileInfo{}
	e.apply(pair("before"))
	e.ready("before")
	l := e.load("before", 8080)
	for _, program := range []string{shimProgram, holderProgram, engineProgram} {
		old[program] = e.stat(filepath.Join(dir, program))
		next := filepath.Join(dir, "next")
		e.check(makeUpgraded(e.ctx, program, next))
		// As an installer does: what runs keeps the file it was started from.
		e.check(os.Rename(next, filepath.Join(dir, program)))
		now[program] = e.stat(filepath.Join(dir, program))
	}
	l.more(100)
	l.stop()
	e.equal("a pod's answer after the upgrade", e.get("before", "http://localhost:8080"), "1")
	e.runs(old, map[string]int{shimProgram: 1, holderProgram: 1, engineProgram: 1})

	e.killSidecar("before")
	e.equal("the answer of the sidecar that was started again", e.get("before", "http://localhost:8080"), "1")
	e.runs(old, map[string]int{shimProgram: 1})
	e.runs(now, map[string]int{holderProgram: 1, engineProgram: 1})

	e.apply(pair("after"))
	e.ready("after")
	e.equal("a new pod's answer", e.get("after", "http://localhost:8080"), "1")
	e.runs(now, map[string]int{shimProgram: 1, holderProgram: 2, engineProgram: 2})

	e.kubectl("delete", "pod", "before", "--wait=false")
	e.gone("before")
	e.runs(old, map[string]int{})
	e.undisturbed("after")
}

func (e *env) stat(path string) os.FileInfo {
	e.Helper()
	info, err := os.Stat(path)
	e.check(err)
	return info
}

// runs waits until there are so many processes of each of these files.
func (e *env) runs(programs map[string]os.FileInfo, want map[string]int) {
	e.Helper()
	for program, file := range programs {
		e.eventually(program+" runs as often as it should", func() bool {
			ps, err := e.cluster.Node.Processes()
			e.check(err)
			n := 0
			for _, p := range ps {
				if exe, err := os.Stat(e.cluster.Node.Proc(p.Pid, "exe")); err == nil && os.SameFile(exe, file) {
					n++
				}
			}
			return n == want[program]
		})
	}
}

// makeUpgraded writes another version of one of mayfly's programs. Where Go is
// not, the run is told where there is one.
func makeUpgraded(ctx context.Context, program, to string) error {
	if *upgrade != "" {
		return lab.CopyFile(filepath.Join(*upgrade, program), to)
	}
	return lab.BuildUpgraded(ctx, to, program)
}

// copyPrograms copies what a node needs of mayfly, so that what is built
// meanwhile, or replaced on the node, is not the same.
func copyPrograms(from, to string) error {
	for _, program := range []string{shimProgram, holderProgram, engineProgram} {
		if err := lab.CopyFile(filepath.Join(from, program), filepath.Join(to, program)); err != nil {
			return err
		}
	}
	return nil
}
