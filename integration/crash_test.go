//go:build linux

package integration

import (
	"strings"
	"syscall"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// restartContainerd kills containerd and starts it again.
func (e *env) restartContainerd() {
	e.Helper()
	e.containerd.Kill()
	e.check(e.containerd.Start(e.ctx))
}

func containerdRestart(e *env) {
	c := e.pod().run(shell("one", "n=0; while :; do n=$((n+1)); echo line $n; sleep 0.05; done"))
	e.eventually("it logs", func() bool { return strings.Contains(c.log(), "line 2\n") })
	e.restartContainerd()
	e.equal("exec after the restart", c.sh("echo here"), "here\n")
	lines := strings.Count(c.log(), "\n")
	e.eventually("it still logs", func() bool { return strings.Count(c.log(), "\n") > lines+2 })
	e.check(c.Stop(e.ctx, 0))
	e.equal("exit code", c.exited(), int32(137))
}

func shimKilled(e *env) {
	c := e.pod().run(shell("one", "sleep 1000"))
	e.kill9(e.shim())
	e.eventually("the container counts as ended", func() bool {
		st, err := c.Status(e.ctx)
		return err == nil && st.GetState() == cri.ContainerState_CONTAINER_EXITED
	})
}

func engineKilled(e *env) {
	p := e.pod()
	main := p.main()
	side := p.sidecar("counter", 8080)
	e.equal("answer", main.get("http://localhost:8080/"), "1")
	e.kill9("mayfly-engine")
	e.equal("answer of the next engine", main.get("http://localhost:8080/"), "1")
	st, err := side.Status(e.ctx)
	e.check(err)
	e.equal("state", st.GetState(), cri.ContainerState_CONTAINER_RUNNING)
	e.eventually("the log says that the engine was killed", func() bool { return strings.Contains(side.log(), "was killed") })
}

func engineHangs(e *env) {
	p := e.pod()
	main := p.main()
	side := p.sidecar("counter", 8080)
	ps := e.processes("mayfly-engine")
	e.equal("engines", len(ps), 1)
	e.check(e.node.Signal(e.ctx, ps[0].Pid, syscall.SIGSTOP))
	e.eventually("the one that hangs is replaced", func() bool {
		now := e.processes("mayfly-engine")
		return len(now) == 0 || len(now) == 1 && now[0].Pid != ps[0].Pid
	})
	e.equal("answer of the next engine", main.get("http://localhost:8080/"), "1")
	st, err := side.Status(e.ctx)
	e.check(err)
	e.equal("state", st.GetState(), cri.ContainerState_CONTAINER_RUNNING)
}

func holderKilled(e *env) {
	p := e.pod()
	main := p.main()
	side := p.sidecar("counter", 8080)
	e.kill9("/.mayfly/init")
	e.equal("exit code", side.exited(), int32(137))
	e.eventually("its engine is gone", func() bool { return len(e.processes("mayfly-engine")) == 0 })
	e.equal("the main container", main.sh("echo alive"), "alive\n")
	e.check(side.Remove(e.ctx))
	p.run(sidecarSpec("counter", 8080))
	e.equal("answer of its successor", main.get("http://localhost:8080/"), "1")
}

func sidecarShimKilled(e *env) {
	p := e.pod()
	p.main()
	side := p.sidecar("counter", 8080)
	e.kill9(e.shim())
	e.eventually("the sidecar counts as ended", func() bool {
		st, err := side.Status(e.ctx)
		return err == nil && st.GetState() == cri.ContainerState_CONTAINER_EXITED
	})
	e.eventually("holder and engine are gone", func() bool {
		return len(e.processes("/.mayfly/init")) == 0 && len(e.processes("mayfly-engine")) == 0
	})
}

func sidecarContainerdRestart(e *env) {
	p := e.pod()
	main := p.main()
	side := p.sidecar("counter", 8080)
	e.restartContainerd()
	e.equal("answer after the restart", main.get("http://localhost:8080/"), "1")
	e.check(side.Stop(e.ctx, 0))
	e.check(side.Remove(e.ctx))
	p.sidecar("counter", 8080)
	e.equal("answer of its successor", main.get("http://localhost:8080/"), "1")
}
