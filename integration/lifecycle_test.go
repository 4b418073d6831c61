//go:build linux

package integration

import (
	"fmt"
	"os"
	"strings"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
)

func mkdirFor(dir string, uid int) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	// Tests run in a directory only root can enter; a guest is not root.
	for _, up := range parents(dir) {
		if strings.HasPrefix(up, os.TempDir()+"/") {
			if err := os.Chmod(up, 0o755); err != nil {
				return err
			}
		}
	}
	return os.Chown(dir, uid, uid)
}

func parents(dir string) []string {
	var ups []string
	for i := len(dir) - 1; i > 0; i-- {
		if dir[i] == '/' {
			ups = append(ups, dir[:i])
		}
	}
	return ups
}

func shell(name, script string) lab.Spec {
	return lab.Spec{Name: name, Image: lab.BusyboxImage, Args: []string{"sh", "-c", script}}
}

func lifecycle(e *env) {
	p := e.pod()
	c := p.run(shell("one", "echo to stdout; echo to stderr >&2; sleep 1000"))
	e.equal("exec", c.sh("echo hello; hostname"), "hello\n"+p.Config.GetHostname()+"\n")
	st, err := c.Status(e.ctx)
	e.check(err)
	e.equal("state", st.GetState(), cri.ContainerState_CONTAINER_RUNNING)
	e.eventually("the log has both lines", func() bool {
		return strings.Contains(c.log(), "to stdout\n") && strings.Contains(c.log(), "to stderr\n")
	})
	e.check(c.Stop(e.ctx, 0))
	e.equal("exit code", c.exited(), int32(137))
	e.check(c.Remove(e.ctx))
	if _, err := c.Status(e.ctx); err == nil {
		e.Fatal("a removed container has a status")
	}
}

func exitCodes(e *env) {
	p := e.pod()
	for _, code := range []int32{0, 1, 42, 255} {
		c := p.run(shell(fmt.Sprint("exit-", code), fmt.Sprint("exit ", code)))
		e.equal("exit code", c.exited(), code)
	}
	c := p.run(shell("signal", "sleep 1000"))
	e.check(c.Stop(e.ctx, 0))
	e.equal("exit code after a kill", c.exited(), int32(137))
}

func killed(e *env) {
	p := e.pod()
	polite := p.run(shell("polite", "trap 'exit 7' TERM; while :; do sleep 0.05; done"))
	deaf := p.run(shell("deaf", "trap '' TERM; while :; do sleep 0.05; done"))
	e.eventually("both have set their traps", func() bool {
		return strings.Contains(polite.sh("grep SigCgt /proc/1/status"), "4") && deaf.sh("cat /proc/1/comm") != ""
	})
	time.Sleep(200 * time.Millisecond)
	e.check(polite.Stop(e.ctx, 10*time.Second))
	e.equal("exit code of one that listens", polite.exited(), int32(7))
	e.check(deaf.Stop(e.ctx, time.Second))
	e.equal("exit code of one that does not", deaf.exited(), int32(137))
}

func execs(e *env) {
	c := e.pod().run(shell("one", "sleep 1000"))
	for _, code := range []int32{0, 3} {
		r, err := c.Exec(e.ctx, "sh", "-c", fmt.Sprintf("echo out; echo err >&2; exit %d", code))
		e.check(err)
		e.equal("exec", r, lab.Result{Stdout: "out\n", Stderr: "err\n", Code: code})
	}
	if _, err := c.Exec(e.ctx, "/not/there"); err == nil {
		e.Fatal("a program that is not there was run")
	}
}

func stats(e *env) {
	c := e.pod().run(shell("one", "x=$(head -c 4000000 /dev/zero | tr '\\0' x); sleep 1000"))
	e.eventually("memory and processor time are counted", func() bool {
		s, err := c.Stats(e.ctx)
		return err == nil && s.GetMemory().GetWorkingSetBytes().GetValue() > 0 && s.GetCpu().GetUsageCoreNanoSeconds().GetValue() > 0
	})
}

func update(e *env) {
	c := e.pod().run(shell("one", "sleep 1000"))
	_, err := e.cri.UpdateContainerResources(e.ctx, &cri.UpdateContainerResourcesRequest{
		ContainerId: c.ID, Linux: &cri.LinuxContainerResources{MemoryLimitInBytes: 64 << 20, CpuShares: 512},
	})
	e.check(err)
	// Both versions of cgroups; one of the files is there.
	limit := c.sh("cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null || true")
	e.equal("limit", strings.TrimSpace(limit), fmt.Sprint(64<<20))
}

func outOfMemory(e *env) {
	s := shell("greedy", "x=x; while :; do x=$x$x$x$x; done")
	s.Change = func(c *cri.ContainerConfig) {
		c.Linux.Resources = &cri.LinuxContainerResources{MemoryLimitInBytes: 16 << 20, MemorySwapLimitInBytes: 16 << 20}
	}
	c := e.pod().run(s)
	e.equal("exit code", c.exited(), int32(137))
	e.eventually("the reason is given", func() bool {
		st, err := c.Status(e.ctx)
		return err == nil && st.GetReason() == "OOMKilled"
	})
}

func noProgram(e *env) {
	_, err := e.pod().Run(e.ctx, lab.Spec{Name: "none", Image: lab.BusyboxImage, Args: []string{"/not/there"}})
	if err == nil {
		e.Fatal("a program that is not there was started")
	}
	e.contains("the error", err.Error(), "/not/there", "no such file")
}
