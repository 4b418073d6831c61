package clusterbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
)

// The names of figures of Memory.
const (
	figSidecar        = "sidecar"         // private, of all processes of the sidecar's container, nobody asks
	figLoaded         = "sidecar-loaded"  // the same while the engine is there
	figShim           = "shim"            // private, of the pod's shim
	figPod            = "pod"             // PSS of all processes of the pod, and its shim
	figKubeletSidecar = "kubelet-sidecar" // the working set of the container
	figKubeletPod     = "kubelet-pod"     // of the pod
)

// watcherName is the privileged pod's.
const watcherName = "watcher"

// watchNode starts the pod that sees the node's processes, and asks it what the node is.
func (r *run) watchNode(ctx context.Context) error {
	p := r.pod(spec{name: watcherName, node: r.node})
	yes, root := true, int64(0)
	p.Spec.HostPID = true
	p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &yes, RunAsUser: &root}
	if _, err := r.pods.start(ctx, p); err != nil {
		return err
	}
	r.watcher = watcherName
	n, err := r.processes(ctx)
	if err != nil {
		return err
	}
	r.results.Cluster.Runc, r.results.Cluster.Mayfly = n.Runc, n.Shim
	if n.CPU != "" {
		r.results.Origin.CPU = n.CPU
	}
	r.results.Origin.Load = n.Load
	return nil
}

// processes are those of the node's pods, as the privileged pod sees them.
func (r *run) processes(ctx context.Context) (*order.Node, error) {
	var text bytes.Buffer
	if err := r.api.exec(ctx, r.watcher, nil, &text, "/agent", "node"); err != nil {
		return nil, err
	}
	n := &order.Node{}
	return n, order.NewLines(&text).Next(n)
}

// resting is a pod whose memory is measured.
type resting struct {
	subject
	pod *corev1.Pod
}

// memory measures what waits: several pods of each kind, so that what processes of a kind share counts as shared.
func (r *run) memory(ctx context.Context) error {
	var all []resting
	for i := range r.plan.MemoryPods {
		r.progress.Doing(fmt.Sprintf("memory at rest: pods, %d of %d of each kind", i+1, r.plan.MemoryPods))
		for _, s := range r.subjects {
			seen, err := r.pods.start(ctx, r.pod(spec{name: fmt.Sprintf("rest-%s-%d", s.name, i), subjects: []subject{s}, idle: r.plan.Idle, node: r.node}))
			if err != nil {
				return err
			}
			all = append(all, resting{s, seen.pod})
		}
	}
	for _, p := range all {
		if p.image == nil {
			continue
		}
		if a, err := r.api.one(ctx, p.pod.Name, p.turn()); err != nil || a.Failed > 0 {
			return errors.Join(err, fmt.Errorf("ask %s before its memory is read: %s", p.pod.Name, a.Why))
		}
	}
	r.progress.Doing("memory at rest: engines rest")
	if err := sleep(ctx, r.plan.Loaded); err != nil {
		return err
	}
	if err := r.readMemory(ctx, all, true); err != nil {
		return err
	}
	r.progress.Doing("memory at rest: engines leave, shims give back what they had for starting")
	if err := r.untilNoEngine(ctx, all); err != nil {
		return err
	}
	// A shim of mayfly has given back memory five seconds after the last call, but one of runc does every half a minute, and kubelet looks at a
	// container every ten to twenty seconds, at one where nothing happens every fifteen to thirty.
	if err := sleep(ctx, r.plan.Rest); err != nil {
		return err
	}
	if err := r.readMemory(ctx, all, false); err != nil {
		return err
	}
	for _, p := range all {
		if err := r.pods.remove(ctx, p.pod.Name); err != nil {
			return err
		}
	}
	return nil
}

// untilNoEngine waits until the engines have left; where nobody can see them, as long as they may take.
func (r *run) untilNoEngine(ctx context.Context, all []resting) error {
	if r.watcher == "" {
		return sleep(ctx, r.plan.Idle)
	}
	for end := time.Now().Add(r.plan.Idle + time.Minute); ; {
		n, err := r.processes(ctx)
		if err != nil {
			return err
		}
		engines := 0
		for _, p := range all {
			for _, q := range of(n, p.pod) {
				if path.Base(q.Name) == order.Engine {
					engines++
				}
			}
		}
		if engines == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d engines are still there a minute after their idle timeout of %v", engines, r.plan.Idle)
		}
		if err := sleep(ctx, 2*time.Second); err != nil {
			return err
		}
	}
}

// readMemory reads it of all pods: with engines loaded only what differs then.
func (r *run) readMemory(ctx context.Context, all []resting, loaded bool) error {
	if r.watcher != "" {
		n, err := r.processes(ctx)
		if err != nil {
			return err
		}
		for _, p := range all {
			r.addProcesses(n, p, loaded)
		}
	}
	if loaded {
		return nil
	}
	s, err := r.api.summary(ctx, r.node)
	if err != nil {
		r.leaveOut("what kubelet counts as memory: %v", err)
		return nil
	}
	for _, p := range all {
		r.addSummary(s, p)
	}
	return nil
}

func (r *run) addProcesses(n *order.Node, p resting, loaded bool) {
	var sidecar, shim, whole int64
	id := containerID(p.pod, p.name)
	mine := of(n, p.pod)
	for _, q := range mine {
		whole += q.PSS
		if id != "" && strings.Contains(q.Cgroup, id) {
			sidecar += q.Private
		}
	}
	if s := shimOf(n, mine); s != nil {
		whole += s.PSS
		shim = s.Private
	}
	add := func(name string, bytes int64) {
		r.results.figure(Memory, name, unitBytes, p.subject).addSome(float64(bytes))
	}
	switch {
	case !loaded:
		add(figSidecar, sidecar)
		add(figShim, shim)
		add(figPod, whole)
	case p.isGuest():
		add(figLoaded, sidecar)
	}
}

func (r *run) addSummary(s *summary, p resting) {
	whole, sidecar := s.memory(r.api.namespace, p.pod.Name, p.name)
	r.results.figure(Memory, figKubeletPod, unitBytes, p.subject).addSome(float64(whole))
	r.results.figure(Memory, figKubeletSidecar, unitBytes, p.subject).addSome(float64(sidecar))
}

// of are a pod's processes: those in its cgroup, which is named after its UID, by systemd with other dashes.
func of(n *order.Node, pod *corev1.Pod) (all []order.Process) {
	uid := string(pod.UID)
	for _, q := range n.Processes {
		if uid != "" && strings.Contains(strings.ReplaceAll(q.Cgroup, "_", "-"), uid) {
			all = append(all, q)
		}
	}
	return all
}

// shimOf is the process that is the parent of a pod's first ones, and is itself in no pod.
func shimOf(n *order.Node, mine []order.Process) *order.Process {
	for _, q := range mine {
		for i, parent := range n.Processes {
			if parent.PID == q.Parent && strings.HasPrefix(path.Base(parent.Name), "containerd-shim") {
				return &n.Processes[i]
			}
		}
	}
	return nil
}

// containerID is that of a container of a pod, "" if there is none.
func containerID(pod *corev1.Pod, name string) string {
	for _, c := range pod.Status.ContainerStatuses {
		if _, id, ok := strings.Cut(c.ContainerID, "://"); ok && c.Name == name {
			return id
		}
	}
	return ""
}
