package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/integration/figures"
	"github.com/mayfly-run/mayfly/integration/lab"
)

func enter() { lab.Main() }

func check() error { return lab.Check() }

// Ports of the pod.
const (
	portC      = 8080
	portDeep   = 8090 // of a sidecar whose engine never waits for a second request
	portNative = 8091
)

const idle = 2 * time.Second

// inPod shows the sidecars in a pod on a real containerd.
func inPod(ctx context.Context, s *screen) (err error) {
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		return err
	}
	install, err := cache.AnyContainerd()
	if err != nil {
		return err
	}
	images, err := cache.Images()
	if err != nil {
		return err
	}
	node, err := lab.Up(cache)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Down()) }()
	all, err := lab.Examples(ctx, node.Dir)
	if err != nil {
		return err
	}
	sidecars, err := pack(ctx, node.Dir, all)
	if err != nil {
		return err
	}
	bin, err := filepath.Abs("bin")
	if err != nil {
		return err
	}

	containerd, err := node.StartContainerd(ctx, install, bin)
	if err != nil {
		return err
	}
	for _, i := range append(images, sidecars...) {
		if err := containerd.Import(ctx, i); err != nil {
			return err
		}
	}
	s.step("containerd %s, in namespaces of its own; nothing of it stays on this machine", install.Version)
	cri, err := containerd.CRI()
	if err != nil {
		return err
	}
	defer cri.Close()
	d := &demo{screen: s, ctx: ctx, node: node}
	if d.pod, err = cri.RunPod(ctx, "demo", "mayfly", nil); err != nil {
		return err
	}
	for _, part := range []func(*demo) error{(*demo).start, (*demo).ask, (*demo).hundred, (*demo).idle, (*demo).cold, (*demo).memory} {
		if err := part(d); err != nil {
			return err
		}
	}
	if err := d.pod.Remove(ctx); err != nil {
		return err
	}
	s.step("The pod is removed, and with it the last process")
	return nil
}

// pack makes an image of each example with mayfly build, and one of the
// ordinary program they are compared with.
func pack(ctx context.Context, dir string, all []lab.Example) ([]string, error) {
	var archives []string
	for i, e := range all {
		archive, err := e.Pack(ctx, dir, portC+i)
		if err != nil {
			return nil, err
		}
		archives = append(archives, archive)
	}
	native, err := lab.NativeImage(ctx, dir)
	return append(archives, native), err
}

type demo struct {
	*screen
	ctx  context.Context
	node *lab.Node
	pod  *lab.Pod
	main *lab.Container
}

// sh runs a command in the main container.
func (d *demo) sh(script string) (string, error) {
	r, err := d.main.Exec(d.ctx, "sh", "-c", script)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("%s: exit code %d: %s%s", script, r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout, err
}

func (d *demo) start() error {
	d.step("A pod with runtimeClassName: mayfly: nginx under runc, and three sidecars of Wasm")
	var err error
	for _, c := range []lab.Spec{
		{Name: "nginx", Image: lab.MainImage},
		d.sidecar("time-c", nil),
		d.sidecar("time-go", nil),
		d.sidecar("time-rust", nil),
	} {
		begin := time.Now()
		container, err := d.pod.Run(d.ctx, c)
		if err != nil {
			return err
		}
		what := "ready"
		if c.Name == "nginx" {
			what, d.main = "started", container
		}
		d.note("%-9s %s after %s", c.Name, what, figures.Short(time.Since(begin)))
	}
	return err
}

func (d *demo) sidecar(image string, env map[string]string) lab.Spec {
	s := lab.Spec{Name: image, Image: "localhost/mayfly/" + image + ":1", Env: map[string]string{
		"MAYFLY_IDLE_TIMEOUT": idle.String(), "MAYFLY_SERVER_TIMING": "1",
	}}
	for k, v := range env {
		s.Env[k] = v
	}
	return s
}

func (d *demo) ask() error {
	d.step("The main container asks them over localhost; each request has an instance of its own")
	for _, command := range []string{"curl -s localhost:8080", "curl -s localhost:8080", "curl -s localhost:8081", "curl -s localhost:8082", "curl -s localhost:80"} {
		answer, err := d.sh(command)
		if err != nil {
			return err
		}
		d.asked(command, answer)
	}
	return nil
}

func (d *demo) hundred() error {
	d.step("A hundred requests at once")
	const command = "curl -s --parallel --parallel-immediate --parallel-max 100 'localhost:8080/?[1-100]'"
	answers, err := d.sh(command)
	if err != nil {
		return err
	}
	answered, different, err := instances(answers)
	if err != nil {
		return err
	}
	d.asked(command, fmt.Sprintf("%d answers from %d instances", answered, different))
	if answered != 100 || different != 100 {
		return errors.New("that should have been a hundred of each")
	}
	return nil
}

// engines are the processes that host instances.
func (d *demo) engines() ([]lab.Process, error) {
	ps, err := d.node.Processes()
	var es []lab.Process
	for _, p := range ps {
		if strings.HasSuffix(p.Args[0], "mayfly-engine") {
			es = append(es, p)
		}
	}
	return es, err
}

// untilIdle waits until no engine is left.
func (d *demo) untilIdle() (time.Duration, error) {
	begin := time.Now()
	for time.Since(begin) < 30*time.Second {
		es, err := d.engines()
		if err != nil || len(es) == 0 {
			return time.Since(begin), err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return 0, errors.New("the engines do not leave")
}

func (d *demo) idle() error {
	d.step("Idle: the engines leave after %v without requests, the sockets stay", idle)
	es, err := d.engines()
	if err != nil {
		return err
	}
	took, err := d.untilIdle()
	if err != nil {
		return err
	}
	d.note("%d engines, %.1f s later none", len(es), took.Seconds())
	const command = "curl -s localhost:8080"
	answer, err := d.sh(command)
	if err != nil {
		return err
	}
	d.asked(command, answer)
	return nil
}

func (d *demo) cold() error {
	d.step("Cold starts")
	for i, name := range []string{"time-c", "time-go", "time-rust"} {
		fields, err := d.sh(fmt.Sprintf("curl -s -o /dev/null -w '%%header{server-timing}\\n' 'localhost:%d/?[1-200]'", portC+i))
		if err != nil {
			return err
		}
		t := figures.Timings{}
		for f := range strings.Lines(fields) {
			t.Add(strings.TrimSpace(f))
		}
		d.note("a fresh instance of %-9s %s; its run %s", name, figures.Summary(t["instance"]), figures.Summary(t["run"]))
	}
	deep := d.sidecar("time-c", map[string]string{"PORT": fmt.Sprint(portDeep), "MAYFLY_IDLE_TIMEOUT": "0"})
	deep.Name = "deep"
	c, err := d.pod.Run(d.ctx, deep)
	if err != nil {
		return err
	}
	times, err := d.sh(fmt.Sprintf("for i in $(seq 20); do sleep 0.15; curl -s -o /dev/null -w '%%{time_total}\\n' localhost:%d; done", portDeep))
	if err != nil {
		return err
	}
	var wake figures.Times
	for t := range strings.FieldsSeq(times) {
		took, err := time.ParseDuration(t + "s")
		if err != nil {
			return err
		}
		wake = append(wake, took)
	}
	d.note("from no engine at all to the answer: %s", figures.Summary(wake))
	return c.Remove(d.ctx)
}

func (d *demo) memory() error {
	d.step("Memory, against the same in Go as an ordinary container sidecar")
	begin := time.Now()
	native, err := d.pod.Run(d.ctx, lab.Spec{Name: "native", Image: lab.Native, Env: map[string]string{"PORT": fmt.Sprint(portNative)}})
	if err != nil {
		return err
	}
	started := time.Since(begin)
	if _, err := d.sh(fmt.Sprintf("until curl -s -o /dev/null localhost:%d; do sleep 0.02; done; curl -s -o /dev/null localhost:8080", portNative)); err != nil {
		return err
	}
	awake, err := d.private("mayfly-engine")
	if err != nil {
		return err
	}
	if _, err := d.untilIdle(); err != nil {
		return err
	}
	holder, err := d.private("/.mayfly/init")
	if err != nil {
		return err
	}
	other, err := d.private("/native")
	if err != nil {
		return err
	}
	d.note("%-32s %s", "a sidecar at rest (holder)", holder)
	d.note("%-32s %s", "a sidecar at work (engine beside)", awake)
	d.note("%-32s %s, started in %s", "a container sidecar, always", other, figures.Short(started))
	return native.Remove(d.ctx)
}

// private is what a process of that name costs, the smallest when there are
// several.
func (d *demo) private(name string) (string, error) {
	ps, err := d.node.Processes()
	if err != nil {
		return "", err
	}
	var least *lab.Memory
	for _, p := range ps {
		if !strings.HasSuffix(p.Args[0], name) {
			continue
		}
		m, err := d.node.Memory(p.Pid)
		if err != nil {
			return "", err
		}
		if least == nil || m.Private < least.Private {
			least = &m
		}
	}
	if least == nil {
		return "", fmt.Errorf("there is no process %s", name)
	}
	return fmt.Sprintf("%5.2f MB private, %5.2f MB with its share of what is mapped by several", float64(least.Private)/1e6, float64(least.PSS)/1e6), nil
}
