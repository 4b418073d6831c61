//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/figures"
)

const (
	portServing = 8080 // and the next: sidecars that stay
	portLeaving = 8090 // and the next: sidecars whose engine leaves at once
	portNative  = 8099
)

// bench is a node with a containerd that knows the images.
type bench struct {
	ctx      context.Context
	effort   effort
	node     *lab.Node
	cri      *lab.CRI
	examples []lab.Example // a small one first
	results  []figure
}

// onNode measures what can only be seen in pods.
func onNode(ctx context.Context, much effort, dir string, examples []lab.Example) (_ []figure, err error) {
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		return nil, err
	}
	install, err := cache.Containerd(lab.Containerd24)
	if err != nil {
		return nil, err
	}
	images, err := cache.Images()
	if err != nil {
		return nil, err
	}
	for _, e := range examples {
		archive, err := e.Pack(dir, portServing)
		if err != nil {
			return nil, err
		}
		images = append(images, archive)
	}
	native, err := lab.NativeImage(ctx, dir)
	if err != nil {
		return nil, err
	}
	bin, err := filepath.Abs("bin")
	if err != nil {
		return nil, err
	}
	node, err := lab.Up(cache)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, node.Down()) }()
	containerd, err := node.StartContainerd(ctx, install, bin)
	if err != nil {
		return nil, err
	}
	for _, i := range append(images, native) {
		if err := containerd.Import(ctx, i); err != nil {
			return nil, err
		}
	}
	cri, err := containerd.CRI()
	if err != nil {
		return nil, err
	}
	defer cri.Close()
	b := &bench{ctx: ctx, effort: much, node: node, cri: cri, examples: examples}
	for _, part := range []func(*bench) error{(*bench).requests, (*bench).starts, (*bench).memory} {
		if err := part(b); err != nil {
			return nil, err
		}
	}
	return b.results, nil
}

// spec is a sidecar with one of the examples.
func spec(e lab.Example, name string, port int, idle string) lab.Spec {
	return lab.Spec{Name: fmt.Sprintf("%s-%s", name, e.Name), Image: e.Image(), Env: map[string]string{
		"PORT": fmt.Sprint(port), "MAYFLY_IDLE_TIMEOUT": idle,
	}}
}

// client asks from inside the pod a process is in.
func (b *bench) client(pid int, keepAlive bool) *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: !keepAlive,
		DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			return b.node.DialFrom(pid, address)
		},
	}}
}

// ask sends one request and returns how long the whole answer took.
func ask(c *http.Client, port int) (time.Duration, error) {
	begin := time.Now()
	resp, err := c.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("port %d: %s: %s", port, resp.Status, text)
	}
	return time.Since(begin), err
}

// requests measures request and wake.
func (b *bench) requests() error {
	pod, err := b.cri.RunPod(b.ctx, "requests", "mayfly", nil)
	if err != nil {
		return err
	}
	if _, err := pod.Run(b.ctx, lab.Spec{Name: "main", Image: lab.MainImage, Args: []string{"sleep", "1000"}}); err != nil {
		return err
	}
	for i, e := range b.examples {
		for _, s := range []lab.Spec{spec(e, "serving", portServing+i, "never"), spec(e, "leaving", portLeaving+i, "0")} {
			if _, err := pod.Run(b.ctx, s); err != nil {
				return err
			}
		}
	}
	pid, err := b.one("sleep")
	if err != nil {
		return err
	}
	kept := b.client(pid, true)
	for i, e := range b.examples {
		var times figures.Times
		for end := time.Now().Add(b.effort.asked); time.Now().Before(end) && len(times) < b.effort.atMost; {
			took, err := ask(kept, portServing+i)
			if err != nil {
				return err
			}
			times = append(times, took)
		}
		b.results = append(b.results, inMicroseconds("request/"+e.Name, times[len(times)/10:], "over the pod's loopback on a kept connection, one at a time"))
	}
	anew := b.client(pid, false)
	for i, e := range b.examples {
		var times figures.Times
		for begin := time.Now(); len(times) < 30 && (len(times) < b.effort.atLeast || time.Since(begin) < b.effort.patience); {
			if err := b.untilEngines(len(b.examples)); err != nil {
				return err
			}
			took, err := ask(anew, portLeaving+i)
			if err != nil {
				return err
			}
			times = append(times, took)
		}
		b.results = append(b.results, inMicroseconds("wake/"+e.Name, times, "no engine, a new connection: from connecting to the whole answer"))
	}
	kept.CloseIdleConnections()
	return pod.Remove(b.ctx)
}

// untilEngines waits until no more than n engines are left.
func (b *bench) untilEngines(n int) error {
	for range 1000 {
		ps, err := b.named("mayfly-engine")
		if err != nil || len(ps) <= n {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("idle engines do not leave")
}

// named are the processes of that name.
func (b *bench) named(name string) ([]lab.Process, error) {
	ps, err := b.node.Processes()
	var found []lab.Process
	for _, p := range ps {
		if strings.HasSuffix(p.Args[0], name) {
			found = append(found, p)
		}
	}
	return found, err
}

func (b *bench) one(name string) (int, error) {
	ps, err := b.named(name)
	if err == nil && len(ps) != 1 {
		err = fmt.Errorf("there are %d processes %s, where one was looked for", len(ps), name)
	}
	if err != nil {
		return 0, err
	}
	return ps[0].Pid, nil
}

// starts measures how long a sidecar and a container take from being created
// to an answer, in a pod that is there.
func (b *bench) starts() error {
	pod, err := b.cri.RunPod(b.ctx, "starts", "mayfly", nil)
	if err != nil {
		return err
	}
	if _, err := pod.Run(b.ctx, lab.Spec{Name: "main", Image: lab.MainImage, Args: []string{"sleep", "1000"}}); err != nil {
		return err
	}
	pid, err := b.one("sleep")
	if err != nil {
		return err
	}
	c := b.client(pid, false)
	kinds := []struct{ name, how string }{
		{"runc", "an ordinary Go program in the same pod: from create to its first answer"},
		{"mayfly", "examples/time/c in the same pod: from create to its first answer"},
	}
	for _, k := range kinds {
		var times figures.Times
		for i := range 4 * b.effort.atLeast {
			s := lab.Spec{Name: fmt.Sprint("native-", i), Image: lab.Native, Env: map[string]string{"PORT": fmt.Sprint(portNative)}}
			if k.name == "mayfly" {
				s = spec(b.examples[0], fmt.Sprint("start-", i), portServing, "never")
			}
			begin := time.Now()
			container, err := pod.Run(b.ctx, s)
			if err != nil {
				return err
			}
			port := portNative
			if k.name == "mayfly" {
				port = portServing
			}
			for {
				if _, err = ask(c, port); err == nil {
					break
				}
				if time.Since(begin) > 10*time.Second {
					return err
				}
				time.Sleep(time.Millisecond)
			}
			times = append(times, time.Since(begin))
			if err := container.Stop(b.ctx, time.Second); err != nil {
				return err
			}
			if err := container.Remove(b.ctx); err != nil {
				return err
			}
		}
		b.results = append(b.results, inMicroseconds("container-start/"+k.name, times, k.how))
	}
	return pod.Remove(b.ctx)
}

// memory measures what waits: three pods of each kind, so that what processes
// of a kind share counts as shared.
func (b *bench) memory() error {
	const pods = 3
	var all []*lab.Pod
	for i := range pods {
		for _, handler := range []string{"mayfly", "runc"} {
			pod, err := b.cri.RunPod(b.ctx, fmt.Sprintf("idle-%s-%d", handler, i), handler, nil)
			if err != nil {
				return err
			}
			all = append(all, pod)
			if _, err := pod.Run(b.ctx, lab.Spec{Name: "main", Image: lab.BusyboxImage, Args: []string{"sleep", "1000"}}); err != nil {
				return err
			}
			second := lab.Spec{Name: "second", Image: lab.Native, Env: map[string]string{"PORT": fmt.Sprint(portNative)}}
			if handler == "mayfly" {
				second = spec(b.examples[0], "idle", portServing, "never")
			}
			if _, err := pod.Run(b.ctx, second); err != nil {
				return err
			}
		}
	}
	// Shims of runc give back memory every half a minute, those of mayfly five seconds after the last call.
	select {
	case <-b.ctx.Done():
		return b.ctx.Err()
	case <-time.After(b.effort.settle):
	}
	for _, what := range []struct{ figure, process, how string }{
		{"shim", "containerd-shim-mayfly-v1", "shim of mayfly: private memory, in a pod with a main container and a sidecar"},
		{"runc-shim", "containerd-shim-runc-v2", "shim of runc: private memory, in a pod with two containers"},
		{"holder", "/.mayfly/init", "holder: private memory, its engine running"},
		{"engine", "mayfly-engine", "engine: private memory, examples/time/c loaded, no request yet"},
		{"native", "/native", "ordinary program: private memory, the same in Go in a container of its own"},
	} {
		ps, err := b.named(what.process)
		if err != nil {
			return err
		}
		var s figures.Sample[int64]
		for _, p := range ps {
			m, err := b.node.Memory(p.Pid)
			if err != nil {
				return err
			}
			s = append(s, m.Private)
		}
		b.results = append(b.results, inBytes("idle-memory/"+what.figure, s, what.how))
	}
	for _, p := range all {
		if err := p.Remove(b.ctx); err != nil {
			return err
		}
	}
	return nil
}
