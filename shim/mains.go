//go:build linux

package shim

import (
	"context"
	"errors"
	"sync"
	"time"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/log"
	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/shim/bundle"
	"github.com/mayfly-run/mayfly/shim/finish"
	"github.com/mayfly-run/mayfly/shim/records"
	"github.com/mayfly-run/mayfly/shim/sidecar"
)

const (
	// askPatience bounds the questions to containerd and kubelet.
	askPatience = 10 * time.Second
	// absentTries is how often kubelet may not list the pod before it is taken to be no pod of its. Its next answers come 3, 9 and 21 seconds
	// after the first: a kubelet that was started again knows its pods by then.
	absentTries = 4
	// drainPatience is how much longer than its drain a sidecar may take to end. The holder kills an engine that hangs.
	drainPatience = 20 * time.Second
	// failedStart is the exit status of a container that could not be made or started, as CRI reports it.
	failedStart = 128
)

// Labels of a sandbox, of a Job's pods the first, or before Kubernetes 1.27 the next two. One of these alone may be anybody's.
const (
	jobLabel          = "batch.kubernetes.io/job-name"
	oldJobLabel       = "job-name"
	oldJobUIDLabel    = "controller-uid"
	podNameLabel      = "io.kubernetes.pod.name"
	podNamespaceLabel = "io.kubernetes.pod.namespace"
)

// mains ends the pod's sidecars when its main containers are done, as package finish decides.
type mains struct {
	ctx        context.Context // the shim's
	containerd string          // its address
	service    *service

	first  sync.Once
	absent int         // how often kubelet has not listed the pod; ask's, of which there is one at a time
	mu     sync.Mutex  // guards what follows
	pod    *finish.Pod // nil for a pod whose sidecars are left to kubelet
}

// join tells of a container that is about to be made. Outside of Kubernetes nobody waits for a pod to complete.
func (m *mains) join(id string, spec *bundle.Spec, side *found) {
	if spec.Name() == "" || spec.SandboxID() == "" {
		return
	}
	m.first.Do(func() { m.begin(spec) })
	kind := finish.Linux
	if side != nil {
		kind = finish.Starting
	}
	m.its().Created(id, spec.Name(), kind)
}

// begin learns from its first container what the pod says.
func (m *mains) begin(spec *bundle.Spec) {
	said, _ := config.ParsePod(spec.Annotations()) // the caller has seen that it is right
	sandbox, kubelet := spec.SandboxID(), spec.KubeletDir()
	ask := func(ctx context.Context) (finish.Facts, error) { return m.ask(ctx, sandbox, kubelet) }
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pod = finish.NewPod(m.ctx, said.ExitWithMain, finish.Outside{Ask: ask, End: m.end})
}

// started tells what a sidecar turned out to be.
func (m *mains) started(side *sidecar.Sidecar) {
	kind := finish.Server
	if side.Command() {
		kind = finish.Command
	}
	m.its().Started(side.ID, kind)
}

// its is the pod of the containers that have joined. All of its methods may be called on nil.
func (m *mains) its() *finish.Pod {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pod
}

// ask learns what containerd and kubelet know of the pod.
func (m *mains) ask(ctx context.Context, sandbox, kubelet string) (finish.Facts, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	labels, err := records.Labels(ctx, m.containerd, sandbox)
	if err != nil {
		log.G(ctx).WithError(err).Warn("learn whether the pod is a Job's")
		return finish.Facts{}, err
	}
	facts := finish.Facts{Job: labels[jobLabel] != "" || labels[oldJobLabel] != "" && labels[oldJobUIDLabel] != ""}
	facts.Containers, err = records.Containers(ctx, kubelet, labels[podNamespaceLabel], labels[podNameLabel])
	if err != nil {
		log.G(ctx).WithError(err).Warn("learn which containers the pod has")
		if m.mayYetBeTold(err) {
			return finish.Facts{}, err
		}
	}
	return facts, nil
}

// mayYetBeTold reports whether kubelet, which has not told the pod's containers, is worth another question.
func (m *mains) mayYetBeTold(err error) bool {
	if errors.Is(err, records.ErrAbsent) {
		m.absent++
		return m.absent < absentTries
	}
	return !errors.Is(err, records.ErrUnknown)
}

// end ends a sidecar and returns when it has ended, by force in the end: kubelet does not know that it should.
func (m *mains) end(ctx context.Context, id string, failed bool) {
	side := m.service.sidecar(id)
	if side == nil {
		return
	}
	logger := log.G(ctx).WithField("id", id).WithField("name", side.Name)
	signal := uint32(control.SignalDone)
	if failed {
		signal = control.SignalFailed
	}
	logger.WithField("failed", failed).Info("the pod's main containers are done: ending the sidecar")
	m.kill(ctx, id, signal)
	patience := time.NewTimer(side.Config.DrainTimeout + drainPatience)
	defer patience.Stop()
	select {
	case <-side.Ended():
	case <-ctx.Done():
	case <-patience.C:
		logger.Warn("the sidecar did not end: killing it")
		m.kill(ctx, id, uint32(unix.SIGKILL))
	}
}

func (m *mains) kill(ctx context.Context, id string, signal uint32) {
	_, err := m.service.kill(ctx, &taskapi.KillRequest{ID: id, Signal: signal})
	if err != nil && !errdefs.IsNotFound(errgrpc.ToNative(err)) {
		log.G(ctx).WithError(err).WithField("id", id).WithField("signal", signal).Warn("end a sidecar")
	}
}
