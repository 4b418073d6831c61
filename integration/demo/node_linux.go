package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/figures"
)

func enter() { lab.Main() }

func check() error { return lab.Check() }

// Ports of the pod.
const (
	portFirst  = 8080 // of the first sidecar; the others have the next
	portDeep   = 8090 // of a sidecar whose engine never waits for a second request
	portNative = 8091
)

const (
	idle = 2 * time.Second
	// Memory limits of the containers. The modules are compiled outside of them, by
	// the node; those of the large ones leave room for a hundred instances at once.
	memoryLarge, memorySmall = 1536 << 20, 256 << 20
)

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
	all, lacking := lab.Components(cache.Progress)
	node, err := lab.Up(cache)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Down()) }()
	sidecars, archives, err := pack(ctx, node.Dir, all)
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
	for _, i := range append(images, archives...) {
		if err := containerd.Import(ctx, i); err != nil {
			return err
		}
	}
	s.step("containerd %s, in namespaces of its own; nothing of it stays on this machine", install.Version)
	client, err := containerd.CRI()
	if err != nil {
		return err
	}
	defer client.Close()
	d := &demo{screen: s, ctx: ctx, node: node, sidecars: sidecars}
	if d.pod, err = client.RunPod(ctx, "demo", "mayfly", nil); err != nil {
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
	for _, l := range lacking {
		s.note("left out: %v", l)
	}
	return nil
}

// sidecar is one of the examples in the pod.
type sidecar struct {
	lab.Example
	port  int
	mb    float64
	large bool // it takes seconds to compile
}

func (s sidecar) name() string { return "time-" + s.Name }

// pack makes an image of each example, and one of the ordinary program they are
// compared with.
func pack(ctx context.Context, dir string, all []lab.Example) (sidecars []sidecar, archives []string, err error) {
	for i, e := range all {
		mb, large, err := size(e)
		if err != nil {
			return nil, nil, err
		}
		archive, err := e.Pack(dir, portFirst+i)
		if err != nil {
			return nil, nil, err
		}
		archives = append(archives, archive)
		sidecars = append(sidecars, sidecar{e, portFirst + i, mb, large})
	}
	native, err := lab.NativeImage(ctx, dir)
	return sidecars, append(archives, native), err
}

type demo struct {
	*screen
	ctx      context.Context
	node     *lab.Node
	pod      *lab.Pod
	main     *lab.Container
	sidecars []sidecar
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
	d.step("A pod with runtimeClassName: mayfly: nginx under runc, and sidecars that are components, as the tools of their languages make them")
	begin := time.Now()
	var err error
	if d.main, err = d.pod.Run(d.ctx, lab.Spec{Name: "nginx", Image: lab.MainImage}); err != nil {
		return err
	}
	d.note("%-11s started after %s", "nginx", figures.Short(time.Since(begin)))
	// The large ones together, while there is nothing to see, and first: by then
	// engines of the small ones would have left.
	g, ctx := errgroup.WithContext(d.ctx)
	for _, s := range d.sidecars {
		if s.large {
			d.note("%-11s %4.1f MB of Wasm are compiled …", s.name(), s.mb)
			g.Go(func() error { return d.run(ctx, s) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, s := range d.sidecars {
		if !s.large {
			if err := d.run(d.ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// run starts a sidecar, which takes until it can answer.
func (d *demo) run(ctx context.Context, s sidecar) error {
	begin := time.Now()
	if _, err := d.pod.Run(ctx, s.spec(s.name(), s.port, idle.String())); err != nil {
		return err
	}
	d.note("%-11s ready after %s", s.name(), figures.Short(time.Since(begin)))
	return nil
}

func (s sidecar) spec(name string, port int, idle string) lab.Spec {
	memory := int64(memorySmall)
	if s.large {
		memory = memoryLarge
	}
	return lab.Spec{
		Name: name, Image: s.Image(),
		Env:    map[string]string{"PORT": fmt.Sprint(port), "MAYFLY_IDLE_TIMEOUT": idle, "MAYFLY_SERVER_TIMING": "1"},
		Change: func(c *cri.ContainerConfig) { c.Linux.Resources.MemoryLimitInBytes = memory },
	}
}

func (d *demo) ask() error {
	d.step("The main container asks them over localhost; each request has an instance of its own")
	commands := []string{"curl -s localhost:80"}
	for _, s := range d.sidecars {
		commands = append(commands, fmt.Sprintf("curl -s localhost:%d", s.port))
	}
	for _, command := range append(commands, commands[1]) {
		answer, err := d.sh(command)
		if err != nil {
			return err
		}
		d.asked(command, answer)
	}
	return nil
}

func (d *demo) hundred() error {
	d.step("A hundred requests at once, to the last and the first of them")
	for _, s := range []sidecar{d.sidecars[len(d.sidecars)-1], d.sidecars[0]} {
		command := fmt.Sprintf("curl -s --parallel --parallel-immediate --parallel-max 100 'localhost:%d/?[1-100]'", s.port)
		answers, err := d.sh(command)
		if err != nil {
			return err
		}
		answered, different, err := instances(answers)
		if err != nil {
			return err
		}
		d.asked(command, fmt.Sprintf("%d answers from %d instances of %s", answered, different, s.name()))
		if answered != 100 || different != 100 {
			return errors.New("that should have been a hundred of each")
		}
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
	d.step("Idle: engines leave after %v without requests, the sockets stay", idle)
	for _, s := range slices.Backward(d.sidecars) { // those last that are awake soonest
		if _, err := d.sh(fmt.Sprintf("curl -s -o /dev/null localhost:%d", s.port)); err != nil {
			return err
		}
	}
	es, err := d.engines()
	if err != nil {
		return err
	}
	took, err := d.untilIdle()
	if err != nil {
		return err
	}
	d.note("%d engines, %.1f s later none: their compiled code is kept for the next", len(es), took.Seconds())
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
	for _, s := range d.sidecars {
		fields, err := d.sh(fmt.Sprintf("curl -s -o /dev/null -w '%%header{server-timing}\\n' 'localhost:%d/?[1-100]'", s.port))
		if err != nil {
			return err
		}
		t := figures.Timings{}
		for f := range strings.Lines(fields) {
			t.Add(strings.TrimSpace(f))
		}
		d.note("a fresh instance of %-11s %s; its run %s", s.name(), figures.Summary(t["instance"]), figures.Summary(t["run"]))
	}
	deep := d.sidecars[0].spec("deep", portDeep, "0")
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
	d.note("from no engine at all to the answer of %s: %s", d.sidecars[0].name(), figures.Summary(wake))
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
	if _, err := d.sh(fmt.Sprintf("until curl -s -o /dev/null localhost:%d; do sleep 0.02; done", portNative)); err != nil {
		return err
	}
	for _, s := range slices.Backward(d.sidecars) { // what engines share is no engine's own while there are several
		if _, err := d.sh(fmt.Sprintf("curl -s -o /dev/null localhost:%d", s.port)); err != nil {
			return err
		}
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
	d.note("%-36s %s", "a sidecar at rest (holder)", holder)
	d.note("%-36s %s", "a sidecar at work (smallest engine)", awake)
	d.note("%-36s %s, started in %s", "a container sidecar, always", other, figures.Short(started))
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
