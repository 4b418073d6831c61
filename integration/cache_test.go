//go:build linux

package integration

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// compiler is what the process that compiles is called.
const compiler = "mayfly-compile"

// cacheDir is the node's cache of compiled code, seen from outside the node.
func (e *env) cacheDir() string { return e.node.Root() + "/var/lib/mayfly/cache" }

// emptyCache removes what earlier scenarios left in the cache, which nobody uses.
func (e *env) emptyCache() {
	e.Helper()
	e.check(os.RemoveAll(e.cacheDir()))
}

// entries are the cache's, and what is on the way to be one.
func (e *env) entries() []string {
	e.Helper()
	all, err := filepath.Glob(e.cacheDir() + "/" + strings.Repeat("?", 64) + "/*")
	e.check(err)
	return all
}

// codeLine is what the shim logs when a container has its code.
var codeLine = regexp.MustCompile(`the sidecar's code is in the cache" compiled=(true|false) id=([0-9a-z-]+)`)

// compiled tells how containers came to their code: "true" compiled it. Others found it, and those that have none are not among them.
func (e *env) compiled() map[string]string {
	e.Helper()
	text, err := os.ReadFile(e.containerd.Log())
	e.check(err)
	all := map[string]string{}
	for _, m := range codeLine.FindAllStringSubmatch(string(text), -1) {
		all[m[2]] = m[1]
	}
	return all
}

// hasCode waits until the log tells that a container has its code, and sees how it came to it.
func (e *env) hasCode(id string, compiled bool) {
	e.Helper()
	e.eventually("it has its code", func() bool { return e.compiled()[id] != "" })
	e.equal("it was compiled for it", e.compiled()[id], fmt.Sprint(compiled))
}

// hasNoCode waits until the log tells that a container has none, and returns why.
func (e *env) hasNoCode(id string) (why string) {
	e.Helper()
	e.eventually("the log tells that it has no code", func() bool {
		text, err := os.ReadFile(e.containerd.Log())
		e.check(err)
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, id) && (strings.Contains(line, "compiles by itself") || strings.Contains(line, "cache of compiled code is not used")) {
				why = line
			}
		}
		return why != ""
	})
	if how := e.compiled()[id]; how != "" {
		e.Fatalf("it has its code: compiled=%s", how)
	}
	return why
}

// enginesHaveCode sees that every engine runs code that is mapped from an entry.
func (e *env) enginesHaveCode() {
	e.Helper()
	ps := e.processes("mayfly-engine")
	if len(ps) == 0 {
		e.Fatal("there is no engine")
	}
	for _, p := range ps {
		maps := e.procFile(p.Pid, "maps")
		mapped := slices.ContainsFunc(strings.Split(maps, "\n"), func(line string) bool {
			f := strings.Fields(line)
			return len(f) == 6 && f[1] == "r-xp" && strings.HasPrefix(f[5], "/code-")
		})
		if !mapped {
			e.Fatalf("the code of an engine is not that of the cache:\n%s", maps)
		}
	}
}

func compiledOnce(e *env) {
	e.emptyCache()
	for i := range 2 {
		p := e.pod()
		main := p.main()
		side := p.component("http", 8080)
		e.equal("the answer", main.get("http://localhost:8080/hello"), "hello")
		e.hasCode(side.ID, i == 0)
		e.enginesHaveCode()
		// A command has it, too.
		command := p.run(lab.Spec{Name: "command", Image: lab.GuestsImage, Args: []string{"/command.wasm", "exit", "0"}})
		e.equal("its exit code", command.exited(), int32(0))
		e.hasCode(command.ID, i == 0)
	}
	e.equal("entries", len(e.entries()), 2)
}

func compiledOnceByMany(e *env) {
	const n = 12
	e.emptyCache()
	pods := make([]*pod, n)
	for i := range pods {
		pods[i] = e.pod()
	}
	ids := make([]string, n)
	g, ctx := errgroup.WithContext(e.ctx)
	for i, p := range pods {
		g.Go(func() error {
			c, err := p.Run(ctx, componentSpec("http", 8080))
			if err == nil {
				ids[i] = c.ID
			}
			return err
		})
	}
	e.check(g.Wait())
	times := 0
	for _, id := range ids {
		e.eventually("it has its code", func() bool { return e.compiled()[id] != "" })
		if e.compiled()[id] == "true" {
			times++
		}
	}
	e.equal("how often it was compiled", times, 1)
	e.equal("entries", len(e.entries()), 1)
}

// brokenEntries: whatever is done to an entry, it is made again, and nobody notices.
func brokenEntries(e *env) {
	e.emptyCache()
	p := e.pod()
	main := p.main()
	// One that uses it all the while.
	first := p.component("http", 8080)
	e.hasCode(first.ID, true)
	files, err := filepath.Glob(e.entries()[0] + "/*")
	e.check(err)
	if len(files) < 2 {
		e.Fatalf("the entry has the files %v", files)
	}
	flip := func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil || len(text) == 0 {
			return err
		}
		text[len(text)/2] ^= 0x10
		return os.WriteFile(path, text, 0o444)
	}
	cut := func(path string) error {
		st, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, st.Size()/2)
	}
	n := 0
	try := func(how string, breakIt func(path string) error, name string) {
		path := filepath.Join(e.entries()[0], name)
		if st, err := os.Stat(path); err != nil || st.Size() == 0 {
			return
		}
		e.check(breakIt(path))
		n++
		s := componentSpec("http", 8081)
		s.Name = fmt.Sprint("again-", n)
		side := p.run(s)
		e.equal("the answer after "+how+" "+name, main.get("http://localhost:8081/hello"), "hello")
		e.hasCode(side.ID, true)
		e.equal("the answer of the first", main.get("http://localhost:8080/hello"), "hello")
		e.check(side.Stop(e.ctx, once))
		e.check(side.Remove(e.ctx))
	}
	for _, f := range files {
		try("a bit is another in", flip, filepath.Base(f))
	}
	try("there is but half of", cut, filepath.Base(files[0]))
	try("there is nothing of", os.Remove, filepath.Base(files[len(files)-1]))
	e.equal("entries", len(e.entries()), 1)
}

// cacheBound: with room for nothing, what is in use stays, and nothing else.
func cacheBound(e *env) {
	e.emptyCache()
	options := filepath.Join(e.TempDir(), "options.toml")
	e.check(os.WriteFile(options, []byte("CompileCacheSize = \"1k\"\n"), 0o644))
	sleeper := func(name string) string {
		return e.ctrStart(lab.GuestsImage, "--runtime-config-path="+options, "--env=MAYFLY_TRIGGER=command", "/"+name+".wasm", "100000")
	}
	used := sleeper("sleep-cmd")
	e.hasCode(used, true)
	inUse := e.entries()
	e.equal("entries", len(inUse), 1)
	for range 2 {
		other := e.ctrStart(lab.GuestsImage, "--runtime-config-path="+options, "--env=MAYFLY_TRIGGER=command", "/cat.wasm")
		e.hasCode(other, true)
		e.eventually("there are two", func() bool { return len(e.entries()) == 2 })
		e.ctrEnd(other)
		third := e.ctrStart(lab.GuestsImage, "--runtime-config-path="+options, "--env=MAYFLY_TRIGGER=command", "/spin.wasm")
		e.hasCode(third, true)
		e.eventually("the one that nobody uses has gone", func() bool { return len(e.entries()) == 2 })
		if !slices.Contains(e.entries(), inUse[0]) {
			e.Fatalf("what is in use was removed: there are %v", e.entries())
		}
		e.ctrEnd(third)
	}
	e.check(os.WriteFile(options, []byte("CompileCache = \"off\"\n"), 0o644))
	e.emptyCache()
	sleeper("sleep-cmd")
	e.equal("entries where there is to be no cache", len(e.entries()), 0)
}

// ctrEnd ends a task of ctr's, whose container goes with the scenario.
func (e *env) ctrEnd(id string) {
	e.Helper()
	e.ctr("-n", "k8s.io", "task", "kill", "-s", "SIGKILL", id)
	e.eventually("it has ended", func() bool {
		_, err := e.containerd.Ctr(e.ctx, "-n", "k8s.io", "task", "rm", id)
		return err == nil
	})
}

// cacheUnusable: a cache that cannot be written to, or is full, costs time only.
func cacheUnusable(e *env) {
	e.emptyCache()
	node := func(command ...string) {
		e.Helper()
		cmd := e.containerd.Command(e.ctx, command[0], command[1:]...)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := e.node.Run(cmd); err != nil {
			e.Fatalf("%v: %v: %s", command, err, said.String())
		}
	}
	p := e.pod()
	main := p.main()
	n := 0
	try := func(how string) {
		n++
		s := componentSpec("http", 8080)
		s.Name = fmt.Sprint("try-", n)
		side := p.run(s)
		e.equal("the answer where the cache is "+how, main.get("http://localhost:8080/hello"), "hello")
		e.Log(e.hasNoCode(side.ID))
		e.check(side.Stop(e.ctx, once))
		e.check(side.Remove(e.ctx))
	}
	parent := filepath.Dir(e.cacheDir())
	e.check(os.MkdirAll(parent, 0o755))
	e.check(os.WriteFile(e.cacheDir(), nil, 0o644))
	try("a file")
	e.check(os.Remove(e.cacheDir()))
	e.check(os.Mkdir(e.cacheDir(), 0o777))
	e.check(os.Chmod(e.cacheDir(), 0o777))
	try("everybody's")
	e.emptyCache()

	at := "/var/lib/mayfly"
	node("mount", "-n", "-t", "tmpfs", "-o", "size=64k", "tmpfs", at)
	e.Cleanup(func() { _ = e.node.Run(exec.Command("umount", "-n", "-l", at)) })
	e.check(os.Mkdir(e.cacheDir(), 0o700))
	try("full")
	e.equal("entries", len(e.entries()), 0)
	node("mount", "-n", "-o", "remount,ro", at)
	try("read-only")
	node("umount", "-n", at)
}

// process sends a signal to a process of the node's, at once.
func (e *env) process(pid int, sig syscall.Signal) error {
	dir, err := os.Open(e.node.Proc(pid, ""))
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.PidfdSendSignal(int(dir.Fd()), sig, nil, 0)
}

// caught starts a sidecar whose code is to be compiled, and returns the process that does so, stopped when all else is waiting for it, and what
// Start will say.
func (e *env) caught(ctx context.Context, p *pod, s lab.Spec) (pid int, started <-chan error, c *container) {
	e.Helper()
	made, err := p.Create(e.ctx, s)
	e.check(err)
	c = &container{e, made}
	start := make(chan error, 1)
	go func() { start <- c.Start(ctx) }()
	deadline := time.Now().Add(lab.Patience(15 * time.Second))
	for time.Now().Before(deadline) {
		ps, err := e.node.Processes()
		e.check(err)
		for _, ps := range ps {
			// Not before it is locked down and has become the engine.
			exe, err := os.Readlink(e.node.Proc(ps.Pid, "exe"))
			if ps.Args[0] == compiler && err == nil && strings.HasSuffix(exe, "mayfly-engine") && e.process(ps.Pid, syscall.SIGSTOP) == nil {
				e.eventually("the holder waits", func() bool { return len(e.processes("/.mayfly/init")) == 1 })
				return ps.Pid, start, c
			}
		}
	}
	e.Fatal("no process compiles")
	return 0, nil, nil
}

func (e *env) procFile(pid int, name string) string {
	e.Helper()
	text, err := os.ReadFile(e.node.Proc(pid, name))
	e.check(err)
	return string(text)
}

// compilerHasNothing: what compiles a module could be taken over by it.
func compilerHasNothing(e *env) {
	e.emptyCache()
	p := e.pod()
	main := p.main()
	pid, started, side := e.caught(e.ctx, p, componentSpec("http", 8080))

	e.contains("its status", e.procFile(pid, "status"), "CapEff:\t0000000000000000\n", "CapPrm:\t0000000000000000\n", "CapBnd:\t0000000000000000\n",
		"CapInh:\t0000000000000000\n", "CapAmb:\t0000000000000000\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n", "Uid:\t1835000", "Groups:\t \n")
	e.contains("its limits", e.procFile(pid, "limits"), "Max core file size        0  ")
	shims := e.processes(e.shim())
	e.equal("shims", len(shims), 1)
	for _, ns := range []string{"net", "mnt", "pid", "ipc", "uts"} {
		own, err := os.Readlink(e.node.Proc(pid, "ns/"+ns))
		e.check(err)
		shims, err := os.Readlink(e.node.Proc(shims[0].Pid, "ns/"+ns))
		e.check(err)
		if own == shims {
			e.Errorf("it has the shim's %s namespace", ns)
		}
	}
	interfaces := strings.Count(e.procFile(pid, "net/dev"), ":")
	e.equal("its network interfaces", interfaces, 1) // the loopback, which is down
	e.equal("its mounts", strings.Count(e.procFile(pid, "mountinfo"), "\n"), 1)
	files, err := os.ReadDir(e.node.Proc(pid, "root"))
	e.check(err)
	for _, f := range files {
		if f.IsDir() {
			e.Errorf("it sees a directory %s", f.Name())
		}
	}
	fds, err := os.ReadDir(e.node.Proc(pid, "fd"))
	e.check(err)
	for _, fd := range fds {
		to, err := os.Readlink(e.node.Proc(pid, "fd/"+fd.Name()))
		e.check(err)
		known := slices.ContainsFunc([]string{"/dev/null", "pipe:", "/memfd:", "anon_inode:", "/"}, func(s string) bool { return strings.HasPrefix(to, s) })
		if !known || strings.HasPrefix(to, "/var") {
			e.Errorf("it has the descriptor %s: %s", fd.Name(), to)
		}
	}
	groups := 0
	for line := range strings.Lines(e.procFile(pid, "cgroup")) {
		if strings.Contains(line, "mayfly-compile-") {
			groups++
		}
		if strings.Contains(line, "pods") {
			e.Errorf("it is in a pod's cgroup: %s", line)
		}
	}
	if groups == 0 {
		e.Errorf("it has no cgroup of its own: %s", e.procFile(pid, "cgroup"))
	}

	e.check(e.process(pid, syscall.SIGCONT))
	e.check(<-started)
	e.equal("the answer", main.get("http://localhost:8080/hello"), "hello")
	e.hasCode(side.ID, true)
	e.equal("processes that compile", len(e.processes(compiler)), 0)
}

func compilerKilled(e *env) {
	e.emptyCache()
	p := e.pod()
	main := p.main()
	pid, started, side := e.caught(e.ctx, p, componentSpec("http", 8080))
	e.check(e.process(pid, syscall.SIGKILL))
	e.check(<-started)
	e.equal("the answer", main.get("http://localhost:8080/hello"), "hello")
	e.contains("the log", e.hasNoCode(side.ID), "killed")
	e.equal("entries", len(e.entries()), 0)
}

// compilerCancelled: when nobody waits for a container's start any more, nobody compiles for it.
func compilerCancelled(e *env) {
	e.emptyCache()
	p := e.pod()
	main := p.main()
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	_, started, side := e.caught(ctx, p, componentSpec("http", 8080))
	cancel()
	if err := <-started; err == nil {
		e.Fatal("a container was started for nobody")
	}
	e.eventually("the process has gone", func() bool { return len(e.processes(compiler)) == 0 })
	e.eventually("nothing of an entry is left", func() bool { return len(e.entries()) == 0 })
	e.eventually("the container can be removed", func() bool { return side.Remove(e.ctx) == nil })
	p.component("http", 8080)
	e.equal("the answer of the next", main.get("http://localhost:8080/hello"), "hello")
}

func shimKilledWhileCompiling(e *env) {
	e.emptyCache()
	p := e.pod()
	_, started, _ := e.caught(e.ctx, p, componentSpec("http", 8080))
	shims := e.processes(e.shim())
	e.equal("shims", len(shims), 1)
	e.check(e.process(shims[0].Pid, syscall.SIGKILL))
	if err := <-started; err == nil {
		e.Fatal("a container has started without its shim")
	}
	e.eventually("the process has gone", func() bool { return len(e.processes(compiler)) == 0 })
	// What it was about to make is in nobody's way.
	again := e.pod()
	main := again.main()
	side := again.component("http", 8080)
	e.equal("the answer", main.get("http://localhost:8080/hello"), "hello")
	e.hasCode(side.ID, true)
	e.equal("entries", len(e.entries()), 1)
}

// wakesWithCode: each engine of a container has the code, also when the entry's name is gone.
func wakesWithCode(e *env) {
	e.emptyCache()
	p := e.pod()
	main := p.main()
	s := componentSpec("http", 8080, "MAYFLY_IDLE_TIMEOUT=1s")
	s.Change = strict
	side := p.run(s)
	e.hasCode(side.ID, true)
	for range 2 {
		e.eventually("the engine leaves", func() bool { return len(e.processes("mayfly-engine")) == 0 })
		e.equal("the answer of the next", main.get("http://localhost:8080/counter"), "1")
		e.enginesHaveCode()
	}
	// A cache that is removed under those who use it is their engines' own work from then on.
	e.eventually("the engine leaves", func() bool { return len(e.processes("mayfly-engine")) == 0 })
	for _, dir := range e.entries() {
		files, err := filepath.Glob(dir + "/*")
		e.check(err)
		for _, f := range files {
			if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
				e.Fatal(err)
			}
		}
	}
	e.equal("the answer without files", main.get("http://localhost:8080/counter"), "1")
}

// smallLimit is less than compiling the JavaScript example takes.
const smallLimit = 128 << 20

// compiledOutsideTheLimit: a component whose container has not the memory to compile it.
func compiledOutsideTheLimit(e *env) {
	e.compilesJavaScript()
	e.emptyCache()
	p := e.pod()
	main := p.main()
	side := p.run(lab.Spec{Name: "js", Image: javascript.Image(), Env: map[string]string{"PORT": "8080"}, Change: func(c *cri.ContainerConfig) {
		c.Linux.Resources.MemoryLimitInBytes = smallLimit
	}})
	e.contains("the answer", main.get("http://localhost:8080/"), `"language":"javascript"`)
	e.hasCode(side.ID, true)

	// And once more, for the figures in the log.
	other := e.pod()
	again := other.run(lab.Spec{Name: "js", Image: javascript.Image(), Env: map[string]string{"PORT": "8080"}, Change: func(c *cri.ContainerConfig) {
		c.Linux.Resources.MemoryLimitInBytes = smallLimit
	}})
	e.hasCode(again.ID, false)
	text, err := os.ReadFile(e.containerd.Log())
	e.check(err)
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, side.ID) || strings.Contains(line, again.ID) {
			e.Log(strings.TrimSpace(line))
		}
	}
	e.Log(side.log(), again.log())
}
