package clusterbench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"

	"github.com/mayfly-run/mayfly/internal/progress"
	"github.com/mayfly-run/mayfly/internal/report"
)

// run is one benchmark under way.
type run struct {
	options  Options
	plan     plan
	api      *api
	pods     *pods
	progress *progress.Progress
	agent    *Image
	subjects []subject         // nobody is the last
	where    nodev1.Scheduling // of the RuntimeClass
	nodes    []corev1.Node     // that take its pods
	node     string            // of pods that are measured one by one
	watcher  string            // the privileged pod; "": there is none
	results  *Results
}

// tidyTime is how long the namespace may take to go away.
const tidyTime = 3 * time.Minute

// Run measures. There may be results beside an error: what was measured until then. A pod that cannot start is an ErrCannotStart. Whatever
// happens, and if ctx ends, what was made in the cluster is removed before Run returns.
func Run(ctx context.Context, o Options, p *progress.Progress) (results *Results, err error) {
	a, err := connect(o)
	if err != nil {
		return nil, err
	}
	images, err := ReadImages(o.Images)
	if err != nil {
		return nil, err
	}
	r := &run{options: o, plan: o.plan(), api: a, progress: p}
	r.subjects = subjects(images, r.plan.Guests)
	r.agent = &images[slices.IndexFunc(images, func(i Image) bool { return i.Role == RoleAgent })]
	r.results = &Results{Origin: report.Here(o.Command, time.Now()), Quick: o.Quick, Plan: r.plan, Images: images, LeftOut: []string{}}
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	// From here on there is something to be removed, also when the answer to the request never came.
	defer func() {
		tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
		defer cancel()
		err = errors.Join(err, p.Do("remove the namespace "+a.namespace, func() error { return a.remove(tidy) }))
	}()
	if err := a.create(ctx); err != nil {
		return nil, err
	}
	r.pods = watchPods(ctx, a)
	defer r.pods.stop()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	err = r.parts(ctx)
	r.results.sum()
	if len(r.results.Figures) == 0 {
		return nil, errors.Join(err, errors.New("nothing was measured"))
	}
	return r.results, err
}

// look sees what cluster it is.
func (r *run) look(ctx context.Context) error {
	class, err := r.api.class(ctx, r.options.RuntimeClass)
	if err != nil {
		return err
	}
	if class.Scheduling != nil {
		r.where = *class.Scheduling
	}
	nodes, err := r.api.nodes(ctx, r.options.RuntimeClass, r.where)
	if err != nil {
		return err
	}
	node, err := chosen(nodes, r.options.Node, r.options.RuntimeClass)
	if err != nil {
		return err
	}
	r.nodes, r.node = nodes, node.Name
	i := node.Status.NodeInfo
	r.results.Cluster = cluster{
		Context: r.api.context, Kubernetes: r.api.version(ctx), Kubelet: i.KubeletVersion, Containerd: i.ContainerRuntimeVersion,
		Kernel: i.KernelVersion, System: i.OSImage + ", " + i.Architecture, Node: node.Name, Nodes: len(nodes), Class: r.options.RuntimeClass,
	}
	o := &r.results.Origin
	o.Commit, o.CPU, o.CPUs = r.options.Version, "unknown", int(node.Status.Capacity.Cpu().Value())
	o.Memory = fmt.Sprintf("%.1f GiB", float64(node.Status.Capacity.Memory().Value())/(1<<30))
	o.System, o.Go, o.Load = i.OSImage+", Linux "+i.KernelVersion+", "+i.Architecture, "", ""
	return nil
}

// prepare starts the pod that reads the node, and one pod with every image: then each is on the node, and what is to be compiled is.
func (r *run) prepare(ctx context.Context) error {
	return r.progress.Do("warm up: one pod with every image on "+r.node, func() error {
		if _, err := r.pods.start(ctx, r.pod(spec{name: "warm-up", subjects: r.subjects, node: r.node, idle: never, static: true})); err != nil {
			return err
		}
		if !r.options.Privileged {
			r.leaveOut("what only a privileged pod sees: --privileged=false")
		} else if err := r.watchNode(ctx); err != nil {
			if ctx.Err() != nil {
				return err
			}
			r.leaveOut("what only a privileged pod sees: %v", err)
		}
		return r.pods.remove(ctx, "warm-up")
	})
}

// parts measures one part after the other. What fails is left out, and is the error in the end.
func (r *run) parts(ctx context.Context) (failed error) {
	wanted := func(p Part) bool { return slices.Contains(r.options.Parts, p) }
	for _, s := range []struct {
		title  string
		wanted bool
		do     func(context.Context) error
	}{
		{"(a, b) pods that start, and their first requests", wanted(Starts) || wanted(First), r.starts},
		{"(c) first requests after deep idle", wanted(Wake), r.wakes},
		{"(d) requests with a warm engine", wanted(Requests), r.requests},
		{"(e) memory at rest", wanted(Memory), r.memory},
		{"(f) many pods at the same moment", wanted(Together), r.together},
	} {
		if !s.wanted {
			r.leaveOut("%s: not asked for", s.title)
			continue
		}
		if err := r.progress.Do(s.title, func() error { return s.do(ctx) }); err != nil {
			err = fmt.Errorf("%s: %w", s.title, err)
			if ctx.Err() != nil || errors.Is(err, ErrCannotStart) {
				return errors.Join(failed, err)
			}
			r.leaveOut("the rest of %v", err)
			failed = errors.Join(failed, err)
		}
	}
	if r.watcher != "" {
		if n, err := r.processes(ctx); err == nil {
			r.note("load of the node's machine: %s before, %s after (1, 5, 15 minutes), with %d processors", r.results.Origin.Load, n.Load, r.results.Origin.CPUs)
		}
	}
	return failed
}

func (r *run) leaveOut(format string, args ...any) {
	r.results.LeftOut = append(r.results.LeftOut, fmt.Sprintf(format, args...))
}

func (r *run) note(format string, args ...any) {
	r.results.Notes = append(r.results.Notes, fmt.Sprintf(format, args...))
}

// answering are the subjects that can be asked.
func (r *run) answering() []subject {
	return slices.DeleteFunc(slices.Clone(r.subjects), func(s subject) bool { return s.image == nil })
}

// rotated is the list from the n-th on, and the others after it: in each round another is the first.
func rotated(all []subject, n int) []subject {
	n %= len(all)
	return slices.Concat(all[n:], all[:n])
}
