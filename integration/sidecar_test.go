//go:build linux

package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
)

func answers(e *env) {
	p := e.pod()
	main := p.main()
	p.sidecar("counter", 8080)
	for range 3 {
		e.equal("the counter of a fresh instance", main.get("http://localhost:8080/"), "1")
	}
	// Whoever comes over IPv6 is served too where the pod has it.
	if strings.Contains(main.sh("cat /proc/net/if_inet6 2>/dev/null || true"), " lo") {
		e.equal("the counter over IPv6", main.get("http://[::1]:8080/"), "1")
	}
	const refused = 7 // of curl's exit codes: nobody listens
	r, err := main.Exec(e.ctx, "curl", "-s", "--max-time", "3", "http://"+p.ip()+":8080/")
	e.check(err)
	e.equal("curl's exit code beyond the pod's loopback", r.Code, int32(refused))
}

func sidecarLifecycle(e *env) {
	p := e.pod()
	main := p.main()
	c, err := p.Create(e.ctx, sidecarSpec("stderr", 8080))
	e.check(err)
	side := &container{e, c}
	st, err := side.Status(e.ctx)
	e.check(err)
	e.equal("state after create", st.GetState(), cri.ContainerState_CONTAINER_CREATED)
	e.check(side.Start(e.ctx))
	// Start answers when the sidecar is ready: the first request is not early.
	main.get("http://localhost:8080/")
	st, err = side.Status(e.ctx)
	e.check(err)
	e.equal("state after start", st.GetState(), cri.ContainerState_CONTAINER_RUNNING)
	e.eventually("what the guest says is in the log", func() bool { return strings.Count(side.log(), "\n") >= 3 })
	e.check(side.Stop(e.ctx, 10*time.Second))
	e.equal("exit code", side.exited(), int32(0))
	r, err := main.Exec(e.ctx, "curl", "-s", "--max-time", "3", "http://localhost:8080/")
	e.check(err)
	if r.Code == 0 {
		e.Fatalf("a stopped sidecar answers: %s", r.Stdout)
	}
	e.check(side.Remove(e.ctx))
}

func twoSidecars(e *env) {
	p := e.pod()
	main := p.main()
	p.sidecar("counter", 8080)
	p.sidecar("hello", 8081)
	e.equal("the first", main.get("http://localhost:8080/"), "1")
	e.contains("the second", main.get("http://localhost:8081/"), "hello")
	e.equal("shims of the pod", len(e.processes(e.shim())), 1)
}

func fiftySidecars(e *env) {
	p := e.pod()
	main := p.main()
	sidecars := p.crowd(50)
	main.askCrowd(len(sidecars))
	e.equal("shims of the pod", len(e.processes(e.shim())), 1)
	e.endAtOnce(sidecars)
}

func fortyWithSharedProcesses(e *env) {
	p := e.pod(func(c *cri.PodSandboxConfig) {
		c.Linux.SecurityContext.NamespaceOptions.Pid = cri.NamespaceMode_POD
	})
	e.endAtOnce(p.crowd(40))
}

// crowd is n sidecars on the ports from 9000.
func (p *pod) crowd(n int) (sidecars []*container) {
	p.e.Helper()
	for i := range n {
		sidecars = append(sidecars, p.sidecar("counter", 9000+i))
	}
	return sidecars
}

// askCrowd asks each of a crowd of n counters.
func (c *container) askCrowd(n int) {
	c.e.Helper()
	out := c.sh(fmt.Sprintf("curl -sS --fail-with-body 'http://localhost:[9000-%d]/'", 9000+n-1))
	c.e.equal("answers", strings.Count(out, "1"), n)
}

// endAtOnce ends containers as kubelet does those of a pod. That they get in
// each other's way would take minutes.
func (e *env) endAtOnce(containers []*container) {
	e.Helper()
	ctx, cancel := context.WithTimeout(e.ctx, lab.Patience(30*time.Second))
	defer cancel()
	begin := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range containers {
		g.Go(func() error { return c.Stop(ctx, 0) })
	}
	e.check(g.Wait())
	e.Logf("%d containers ended in %s", len(containers), time.Since(begin).Round(time.Millisecond))
}

func startsAtOnce(e *env) {
	const n = 8
	p := e.pod()
	main := p.main()
	g, ctx := errgroup.WithContext(e.ctx)
	for i := range n {
		g.Go(func() error {
			_, err := p.Run(ctx, sidecarSpec("counter", 9000+i))
			return err
		})
	}
	e.check(g.Wait())
	main.askCrowd(n)
}

func hundredRequests(e *env) {
	const n = 100
	p := e.pod()
	main := p.main()
	p.sidecar("random", 8080)
	out := main.sh(fmt.Sprintf("curl -sS --fail-with-body -Z --parallel-max %d -w '\\n' 'http://localhost:8080/?[1-%d]'", n, n))
	lines := strings.Fields(out)
	e.equal("answers", len(lines), n)
	slices.Sort(lines)
	e.equal("different answers", len(slices.Compact(lines)), n)
}

func guestFails(e *env) {
	p := e.pod()
	main := p.main()
	trap := p.sidecar("trap", 8080)
	p.sidecar("no-output", 8081)
	p.sidecar("spin", 8082, "MAYFLY_TIMEOUT=300ms")
	p.sidecar("recurse", 8083)
	p.sidecar("counter", 8084)
	for range 2 {
		e.equal("a trap", main.status("http://localhost:8080/"), "500")
		e.equal("no output", main.status("http://localhost:8081/"), "502")
		e.equal("a guest that spins", main.status("http://localhost:8082/"), "504")
		e.equal("a guest that recurses", main.status("http://localhost:8083/"), "500")
		e.equal("a good one", main.get("http://localhost:8084/"), "1")
	}
	e.eventually("the trap's stack is in the log", func() bool { return strings.Contains(trap.log(), "unreachable") })
}

func memoryLimit(e *env) {
	p := e.pod()
	main := p.main()
	s := sidecarSpec("allocate", 8080, "MAYFLY_MEMORY=1Gi")
	s.Change = func(c *cri.ContainerConfig) { c.Linux.Resources.MemoryLimitInBytes = 96 << 20 }
	side := p.run(s)
	before := e.processes("mayfly-engine")
	for range 3 {
		e.contains("a guest that takes all it can get", main.get("http://localhost:8080/"), "refused at")
	}
	after := e.processes("mayfly-engine")
	if len(before) != 1 || len(after) != 1 || before[0].Pid != after[0].Pid {
		e.Fatalf("the engine is another one: %v, then %v", before, after)
	}
	st, err := side.Status(e.ctx)
	e.check(err)
	e.equal("state", st.GetState(), cri.ContainerState_CONTAINER_RUNNING)
}

func sidecarRestarts(e *env) {
	p := e.pod()
	main := p.main()
	for range 3 {
		side := p.sidecar("counter", 8080)
		e.equal("answer", main.get("http://localhost:8080/"), "1")
		e.check(side.Stop(e.ctx, 10*time.Second))
		e.check(side.Remove(e.ctx))
	}
	e.equal("the main container", main.sh("echo alive"), "alive\n")
}

func mainRestarts(e *env) {
	p := e.pod()
	side := p.sidecar("counter", 8080)
	for range 3 {
		main := p.main()
		e.equal("answer", main.get("http://localhost:8080/"), "1")
		e.check(main.Stop(e.ctx, 0))
		e.check(main.Remove(e.ctx))
	}
	st, err := side.Status(e.ctx)
	e.check(err)
	e.equal("state of the sidecar", st.GetState(), cri.ContainerState_CONTAINER_RUNNING)
}

func wakes(e *env) {
	p := e.pod()
	main := p.main()
	side := p.sidecar("counter", 8080, "MAYFLY_IDLE_TIMEOUT=300ms")
	for range 3 {
		e.eventually("the engine leaves", func() bool { return len(e.processes("mayfly-engine")) == 0 })
		e.equal("the answer of the next", main.get("http://localhost:8080/"), "1")
	}
	e.equal("holders", len(e.processes("/.mayfly/init")), 1)
	st, err := side.Status(e.ctx)
	e.check(err)
	e.equal("state", st.GetState(), cri.ContainerState_CONTAINER_RUNNING)
}

func bareConnection(e *env) {
	p := e.pod()
	main := p.main()
	p.sidecar("counter", 8080, "MAYFLY_IDLE_TIMEOUT=0")
	gone := func() bool { return len(e.processes("mayfly-engine")) == 0 }
	e.eventually("the engine leaves", gone)
	main.sh("nc -w 1 localhost 8080 </dev/null; sleep 1 | nc localhost 8080 || true")
	e.equal("nobody is woken", gone(), true)
	e.equal("answer", main.get("http://localhost:8080/"), "1")
}

func drains(e *env) {
	p := e.pod()
	main := p.main()
	side := p.sidecar("sleep", 8080)
	var wg sync.WaitGroup
	var answer string
	wg.Go(func() { answer = main.get("http://127.0.0.1:8080/?ms=1500") })
	e.eventually("the request is under way", func() bool {
		return main.sh("grep -c ':1F90 01' /proc/net/tcp || true") != "0\n" // port 8080, established
	})
	e.check(side.Stop(e.ctx, 20*time.Second))
	wg.Wait()
	e.contains("what was begun is answered", answer, "slept")
	e.equal("exit code", side.exited(), int32(0))
	e.contains("the log", side.log(), "1")
}

func commands(e *env) {
	p := e.pod()
	command := func(guest string, args ...string) *container {
		return p.run(lab.Spec{Name: guest + strings.Join(args, "-"), Image: lab.GuestsImage, Args: append([]string{"/" + guest + ".wasm"}, args...),
			Env: map[string]string{"MAYFLY_TRIGGER": "command"}})
	}
	for _, code := range []string{"0", "1", "77"} {
		e.equal("exit code", fmt.Sprint(command("exit", code).exited()), code)
	}
	hello := command("hello-cmd")
	e.equal("exit code of one that returns", hello.exited(), int32(0))
	e.eventually("both streams are in the log", func() bool { return strings.Count(hello.log(), "\n") >= 2 })
	sleeper := command("sleep-cmd", "60000")
	e.check(sleeper.Stop(e.ctx, 5*time.Second))
	if code := sleeper.exited(); code != 143 && code != 137 && code != 0 {
		e.Fatalf("exit code of a stopped command: %d", code)
	}
}

func hostNetwork(e *env) {
	p := e.pod(func(c *cri.PodSandboxConfig) {
		c.Hostname = ""
		c.Linux.SecurityContext.NamespaceOptions.Network = cri.NamespaceMode_NODE
	})
	main := p.main()
	p.sidecar("counter", 18080)
	e.equal("answer", main.get("http://localhost:18080/"), "1")
}

func unixListener(e *env) {
	_, m := e.volume("socket", "/sock", false)
	p := e.pod()
	main := p.run(lab.Spec{Name: "main", Image: lab.MainImage, Args: []string{"sleep", "1000"}, Mounts: []*cri.Mount{m}})
	s := sidecarSpec("counter", 8080, "MAYFLY_LISTEN=unix:/sock/http")
	s.Mounts = []*cri.Mount{m}
	p.run(s)
	e.equal("answer", main.sh("curl -sS --fail-with-body --unix-socket /sock/http http://localhost/"), "1\n")
}

func portOfSidecar(e *env) {
	p := e.pod()
	main := p.main()
	first := p.sidecar("counter", 8080)
	s := sidecarSpec("hello", 8080)
	_, err := p.Run(e.ctx, s)
	if err == nil {
		e.Fatal("two sidecars have one port")
	}
	e.contains("the error", err.Error(), "8080", "counter-8080", "PORT")
	e.equal("the first still answers", main.get("http://localhost:8080/"), "1")
	e.check(first.Stop(e.ctx, 10*time.Second))
	e.check(first.Remove(e.ctx))
	p.run(s)
	e.contains("then the second has it", main.get("http://localhost:8080/"), "hello")
}

func portOfMain(e *env) {
	p := e.pod()
	main := p.run(lab.Spec{Name: "main", Image: lab.MainImage})
	e.eventually("nginx answers", func() bool {
		r, err := main.Exec(e.ctx, "curl", "-s", "http://localhost/")
		return err == nil && r.Code == 0
	})
	_, err := p.Run(e.ctx, sidecarSpec("hello", 80))
	if err == nil {
		e.Fatal("a sidecar has the port of the main container")
	}
	e.contains("the error", err.Error(), "80", "PORT")
	e.contains("nginx still answers", main.get("http://localhost/"), "main container")
}

// strict is what a careful cluster demands of every container.
func strict(c *cri.ContainerConfig) {
	sc := c.Linux.SecurityContext
	sc.RunAsUser = &cri.Int64Value{Value: 12345}
	sc.RunAsGroup = &cri.Int64Value{Value: 12345}
	sc.ReadonlyRootfs = true
	sc.NoNewPrivs = true
	sc.Capabilities = &cri.Capability{DropCapabilities: []string{"ALL"}}
	sc.Seccomp = &cri.SecurityProfile{ProfileType: cri.SecurityProfile_RuntimeDefault}
}

func restricted(e *env) {
	p := e.pod()
	main := p.main()
	s := sidecarSpec("counter", 80, "MAYFLY_IDLE_TIMEOUT="+lab.Patience(300*time.Millisecond).String())
	s.Change = strict
	p.run(s)
	e.equal("answer", main.get("http://localhost/"), "1")
	for _, name := range []string{"/.mayfly/init", "mayfly-engine"} {
		ps := e.processes(name)
		if name == "mayfly-engine" && len(ps) == 0 {
			main.get("http://localhost/")
			ps = e.processes(name)
		}
		e.equal("processes "+name, len(ps), 1)
		text, err := os.ReadFile(e.node.Proc(ps[0].Pid, "status"))
		e.check(err)
		e.contains(name, string(text), "Uid:\t12345\t12345\t12345\t12345\n", "CapEff:\t0000000000000000\n", "CapBnd:\t0000000000000000\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n")
	}
	e.eventually("the engine leaves", func() bool { return len(e.processes("mayfly-engine")) == 0 })
	e.equal("answer after a wake", main.get("http://localhost/"), "1")
}

func volumes(e *env) {
	dir, rw := e.volume("rw", "/rw", false)
	ro, rom := e.volume("ro", "/ro", true)
	e.check(os.WriteFile(filepath.Join(dir, "a"), []byte("from the node"), 0o644))
	e.check(os.WriteFile(filepath.Join(ro, "a"), []byte("read me"), 0o644))
	p := e.pod()
	main := p.main()
	run := func(guest string, port int) {
		s := sidecarSpec(guest, port)
		s.Mounts = []*cri.Mount{rw, rom}
		p.run(s)
	}
	run("read-file", 8080)
	run("write-file", 8081)
	e.equal("a file of a volume", main.get("http://localhost:8080/?path=/rw/a"), "from the node")
	e.equal("a file of a read-only volume", main.get("http://localhost:8080/?path=/ro/a"), "read me")
	e.equal("a file of the image", main.get("http://localhost:8080/?path=/data/here"), "in the image")
	e.equal("the engine's files", main.status("http://localhost:8080/?path=/.mayfly/engine"), "404")
	e.equal("the host's processes", main.status("http://localhost:8080/?path=/proc/self/environ"), "404")
	main.get("http://localhost:8081/?path=/rw/b&text=written")
	text, err := os.ReadFile(filepath.Join(dir, "b"))
	e.check(err)
	e.equal("what was written", string(text), "written")
	e.equal("a write to a read-only volume", main.status("http://localhost:8081/?path=/ro/b&text=x"), "403")
}

func sidecarStats(e *env) {
	p := e.pod()
	main := p.main()
	side := p.sidecar("counter", 8080)
	main.get("http://localhost:8080/")
	e.eventually("memory and processor time are counted", func() bool {
		s, err := side.Stats(e.ctx)
		return err == nil && s.GetMemory().GetWorkingSetBytes().GetValue() > 0 && s.GetCpu().GetUsageCoreNanoSeconds().GetValue() > 0
	})
	ps := e.ctr("-n", "k8s.io", "task", "ps", side.ID)
	if lines := strings.Count(strings.TrimSpace(ps), "\n"); lines < 2 {
		e.Fatalf("holder and engine are not both among the processes: %s", ps)
	}
	// There is no shell in a sidecar, which exec has to say and survive.
	if _, err := side.Exec(e.ctx, "sh"); err == nil {
		e.Fatal("there is a shell in a sidecar")
	}
	e.equal("answer after that", main.get("http://localhost:8080/"), "1")
	_, err := e.cri.UpdateContainerResources(e.ctx, &cri.UpdateContainerResourcesRequest{
		ContainerId: side.ID, Linux: &cri.LinuxContainerResources{MemoryLimitInBytes: 256 << 20},
	})
	e.check(err)
	e.equal("answer after an update", main.get("http://localhost:8080/"), "1")
}

func sidecarPause(e *env) {
	p := e.pod()
	main := p.main()
	side := p.sidecar("counter", 8080)
	e.ctrPauseResume(side.ID)
	// Longer than the holder waits for a sign of life: a paused engine is not
	// a dead one.
	e.ctr("-n", "k8s.io", "task", "pause", side.ID)
	before := e.processes("mayfly-engine")
	time.Sleep(3 * time.Second)
	e.ctr("-n", "k8s.io", "task", "resume", side.ID)
	e.equal("answer", main.get("http://localhost:8080/"), "1")
	after := e.processes("mayfly-engine")
	if len(before) != 1 || len(after) != 1 || before[0].Pid != after[0].Pid {
		e.Fatalf("the engine is another one after a pause: %v, then %v", before, after)
	}
}

func ctrSidecar(e *env) {
	e.ctrStart(lab.GuestsImage, "--net-host", "--env=PORT=18081", "--env=MAYFLY_TRIGGER=http", "/counter.wasm")
	cmd := e.containerd.Command(e.ctx, "sh", "-c", "exec 3<>/dev/tcp/127.0.0.1/18081; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3")
	cmd.Args[0], cmd.Path = "bash", "/bin/bash"
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	e.check(e.node.Run(cmd))
	e.contains("the answer", out.String(), "200 OK", "\r\n\r\n1")
}
