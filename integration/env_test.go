//go:build linux

package integration

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/mayfly-run/mayfly/integration/expect"
	"github.com/mayfly-run/mayfly/integration/lab"
)

// env is what a scenario works with. Its methods fail the test by themselves.
type env struct {
	*testing.T
	ctx        context.Context
	containerd *lab.Containerd
	node       *lab.Node
	cri        *lab.CRI
	runtime    string // "runc" or "mayfly"
}

func (e *env) connect() {
	c, err := e.containerd.CRI()
	e.check(err)
	e.cri = c
	e.Cleanup(func() { c.Close() })
}

func (e *env) check(err error) { e.Helper(); expect.Success(e, err) }

// eventually waits until what is so.
func (e *env) eventually(what string, so func() bool) {
	e.Helper()
	expect.Wait{Within: 15 * time.Second, Every: 20 * time.Millisecond}.Eventually(e.ctx, e, what, so)
}

func (e *env) equal(what string, got, want any) { e.Helper(); expect.Equal(e, what, got, want) }

func (e *env) contains(what, text string, parts ...string) {
	e.Helper()
	expect.Contains(e, what, text, parts...)
}

// processes are those in the node whose first argument ends in name.
func (e *env) processes(name string) []lab.Process {
	e.Helper()
	ps, err := e.node.Processes()
	e.check(err)
	return slices.DeleteFunc(ps, func(p lab.Process) bool { return !strings.HasSuffix(p.Args[0], name) })
}

// kill9 ends the one process of that name.
func (e *env) kill9(name string) {
	e.Helper()
	ps := e.processes(name)
	if len(ps) != 1 {
		e.Fatalf("there are %d processes %s: %v", len(ps), name, ps)
	}
	e.check(e.node.Signal(e.ctx, ps[0].Pid, syscall.SIGKILL))
}

// shim is the name of the shim's process.
func (e *env) shim() string {
	if e.runtime == "runc" {
		return "containerd-shim-runc-v2"
	}
	return "containerd-shim-mayfly-v1"
}

// runtimeType is what ctr calls the runtime.
func (e *env) runtimeType() string {
	return map[string]string{"runc": "io.containerd.runc.v2", "mayfly": "io.containerd.mayfly.v1"}[e.runtime]
}

var pods atomic.Int32 // names them

// pod starts a pod that ends with the scenario.
func (e *env) pod(change ...func(*cri.PodSandboxConfig)) *pod {
	e.Helper()
	name := fmt.Sprintf("pod-%d", pods.Add(1))
	p, err := e.cri.RunPod(e.ctx, name, e.runtime, func(c *cri.PodSandboxConfig) {
		for _, f := range change {
			f(c)
		}
	})
	e.check(err)
	e.Cleanup(func() {
		// Not e.ctx: a scenario that ran out of time is cleaned up too, and
		// not e.cri, which a scenario that kills containerd has replaced.
		ctx, cancel := context.WithTimeout(context.Background(), lab.Patience(30*time.Second))
		defer cancel()
		if err := p.Remove(ctx); err != nil {
			e.Error(err)
		}
	})
	return &pod{e, p}
}

type pod struct {
	e *env
	*lab.Pod
}

// ip is the pod's address.
func (p *pod) ip() string {
	p.e.Helper()
	r, err := p.e.cri.PodSandboxStatus(p.e.ctx, &cri.PodSandboxStatusRequest{PodSandboxId: p.ID})
	p.e.check(err)
	return r.GetStatus().GetNetwork().GetIp()
}

type container struct {
	e *env
	*lab.Container
}

// run starts a container, which is removed with the pod.
func (p *pod) run(s lab.Spec) *container {
	p.e.Helper()
	c, err := p.Run(p.e.ctx, s)
	p.e.check(err)
	return &container{p.e, c}
}

// main starts an ordinary container that does nothing but be there.
func (p *pod) main() *container {
	p.e.Helper()
	return p.run(lab.Spec{Name: "main", Image: lab.MainImage, Args: []string{"sleep", "1000"}})
}

// sidecar starts a guest that serves HTTP on port.
func (p *pod) sidecar(guest string, port int, env ...string) *container {
	p.e.Helper()
	return p.run(sidecarSpec(guest, port, env...))
}

func sidecarSpec(guest string, port int, env ...string) lab.Spec {
	s := lab.Spec{Name: fmt.Sprintf("%s-%d", guest, port), Image: lab.GuestsImage, Args: []string{"/" + guest + ".wasm"}, Env: map[string]string{
		"MAYFLY_TRIGGER": "http", "PORT": fmt.Sprint(port),
	}}
	for _, kv := range env {
		k, v, _ := strings.Cut(kv, "=")
		s.Env[k] = v
	}
	return s
}

// sh runs a shell command and returns what it prints; it must succeed.
func (c *container) sh(script string) string {
	c.e.Helper()
	r, err := c.Exec(c.e.ctx, "sh", "-c", script)
	c.e.check(err)
	if r.Code != 0 {
		c.e.Fatalf("%s: exit code %d: %s%s", script, r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// curlPatience is how many seconds an answer may take.
var curlPatience = fmt.Sprint(lab.Patience(20 * time.Second).Seconds())

// get asks for a URL from inside the container; the answer must be a good one.
func (c *container) get(url string) string {
	c.e.Helper()
	return strings.TrimSuffix(c.sh("curl -sS --fail-with-body --max-time "+curlPatience+" '"+url+"'"), "\n")
}

// status asks for a URL and returns the status and what is in the body.
func (c *container) status(url string) string {
	c.e.Helper()
	return strings.TrimSpace(c.sh("curl -sS --max-time " + curlPatience + " -o /dev/null -w '%{http_code}' '" + url + "'"))
}

// exited waits for the end of the container and returns its exit code.
func (c *container) exited() int32 {
	c.e.Helper()
	st, err := c.Wait(c.e.ctx)
	c.e.check(err)
	return st.GetExitCode()
}

func (c *container) log() string {
	c.e.Helper()
	text, err := c.Log()
	c.e.check(err)
	return text
}

// javascript is in an image of its own, which only the newest containerd has.
var javascript = lab.Example{Name: "js", Title: "JavaScript"}

// compilesJavaScript skips a scenario where that takes longer than the minute
// and a half that a shim waits for it: it is some eight seconds.
func (e *env) compilesJavaScript() {
	e.Helper()
	if lab.Patience(8*time.Second) > 90*time.Second {
		e.Skip("this machine is too slow to compile a component in JavaScript within the time that a shim has")
	}
}

// volume is a directory of the node's, mounted at path.
func (e *env) volume(name, path string, readonly bool) (dir string, m *cri.Mount) {
	e.Helper()
	dir = filepath.Join(e.TempDir(), name)
	e.check(mkdirFor(dir, 65532))
	return dir, &cri.Mount{HostPath: dir, ContainerPath: path, Readonly: readonly}
}

func (e *env) ctr(args ...string) string {
	e.Helper()
	out, err := e.containerd.Ctr(e.ctx, args...)
	e.check(err)
	return out
}
