//go:build linux

package shim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/log"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/shim/bundle"
	"github.com/mayfly-run/mayfly/shim/code"
	"github.com/mayfly-run/mayfly/shim/podnet"
	"github.com/mayfly-run/mayfly/shim/sidecar"
)

// endPatience bounds the wait for the end of a sidecar that was killed because it did not start.
const endPatience = 10 * time.Second

// service is the task service of a pod: containerd's own runc service, and what is different for sidecars.
//
// Only Create, Start and Delete differ. All else a sidecar does as any container does: it is one.
type service struct {
	taskapi.TTRPCTaskService // the runc service

	pod   *podnet.Pod
	mains *mains
	kills chan struct{} // full when no other may begin
	runcs *monitor      // nil without the runc service

	mu       sync.Mutex // guards what follows
	sidecars map[string]*sidecar.Sidecar
	linux    map[string]linux
}

// linux is a container that is no sidecar.
type linux struct {
	name string // for messages
	pid  int
}

var _ taskapi.TTRPCTaskService = (*service)(nil)

// newSidecars returns a service that has no runc service yet. The context is the shim's.
func newSidecars(ctx context.Context, containerd string) *service {
	s := &service{kills: make(chan struct{}, mostKills), sidecars: map[string]*sidecar.Sidecar{}, linux: map[string]linux{}}
	s.pod = podnet.NewPod(s.whoseSocket)
	s.mains = &mains{ctx: ctx, containerd: containerd, service: s}
	return s
}

// Create makes a container. A sidecar's bundle is rewritten first.
func (s *service) Create(ctx context.Context, r *taskapi.CreateTaskRequest) (*taskapi.CreateTaskResponse, error) {
	spec, side, err := s.inspect(ctx, r)
	if err != nil {
		return nil, toGRPC(err)
	}
	if r.Options, err = toRuncOptions(r.Options, spec.SystemdCgroup()); err != nil {
		if side != nil {
			side.code.Close()
		}
		return nil, toGRPC(err)
	}
	if spec.IsSandbox() {
		return s.TTRPCTaskService.Create(ctx, r)
	}
	// Known before it exists: its end may be reported before Create returns.
	s.mains.join(r.ID, spec, side)
	resp, err := s.createContainer(ctx, r, spec, side)
	if err != nil {
		s.mains.its().Ended(r.ID, failedStart)
	}
	return resp, err
}

func (s *service) createContainer(ctx context.Context, r *taskapi.CreateTaskRequest, spec *bundle.Spec, side *found) (*taskapi.CreateTaskResponse, error) {
	if side != nil {
		resp, err := s.createSidecar(ctx, r, spec, side)
		return resp, toGRPC(err)
	}
	resp, err := s.TTRPCTaskService.Create(ctx, r)
	if err == nil {
		s.remember(r.ID, spec.Name(), int(resp.Pid))
	}
	return resp, err
}

// found is what the shim saw of a sidecar before its container is made.
type found struct {
	entry    *bundle.Entrypoint
	programs sidecar.Programs
	code     *code.Code
}

// inspect reads the bundle and looks whether it is a sidecar's: nil when it is not.
func (s *service) inspect(ctx context.Context, r *taskapi.CreateTaskRequest) (*bundle.Spec, *found, error) {
	spec, err := bundle.Read(r.Bundle)
	if err != nil {
		return nil, nil, err
	}
	if spec.IsSandbox() {
		return spec, nil, nil
	}
	if _, err := config.ParsePod(spec.Annotations()); err != nil {
		return nil, nil, err
	}
	if r.Checkpoint != "" {
		return spec, nil, nil
	}
	rootfs := spec.Rootfs()
	mounts := toMounts(r)
	if len(mounts) > 0 {
		// runc's side mounts it again, in its own way: what it finds must be as containerd left it.
		if err := os.Mkdir(rootfs, 0o711); err != nil && !os.IsExist(err) {
			return nil, nil, err
		}
		if err := mount.All(mounts, rootfs); err != nil {
			_ = mount.UnmountMounts(mounts, rootfs, 0) // those before the one that failed
			return nil, nil, fmt.Errorf("mount the root filesystem: %w", err)
		}
	}
	side, err := s.look(ctx, r, spec)
	if len(mounts) > 0 {
		if uerr := mount.UnmountMounts(mounts, rootfs, 0); uerr != nil && err == nil {
			if side != nil {
				side.code.Close()
			}
			return nil, nil, fmt.Errorf("unmount the root filesystem: %w", uerr)
		}
	}
	return spec, side, err
}

// look looks into the root filesystem, which is mounted.
func (s *service) look(ctx context.Context, r *taskapi.CreateTaskRequest, spec *bundle.Spec) (*found, error) {
	entry, err := spec.FindEntrypoint()
	if entry == nil || err != nil {
		return nil, err
	}
	programs, err := sidecar.FindPrograms()
	if err != nil {
		return nil, err
	}
	store, err := storeOptions(ctx, r.Options)
	if err != nil {
		return nil, err
	}
	side := &found{entry: entry, programs: programs}
	if store == nil {
		return side, nil
	}
	module, err := entry.Open(spec)
	if err != nil {
		return nil, fmt.Errorf("open the entrypoint %.200q: %w", entry.Path, err)
	}
	defer module.Close()
	store.Engine = programs.Engine
	side.code = store.Begin(ctx, r.ID, module)
	return side, nil
}

// toMounts copies the mounts of a request. Options too: mounting an overlay of a pod with a user namespace edits them in place, and runc's
// side would mount what is gone by then.
func toMounts(r *taskapi.CreateTaskRequest) []mount.Mount {
	var mounts []mount.Mount
	for _, m := range r.Rootfs {
		mounts = append(mounts, mount.Mount{Type: m.Type, Source: m.Source, Target: m.Target, Options: slices.Clone(m.Options)})
	}
	return mounts
}

func (s *service) createSidecar(ctx context.Context, r *taskapi.CreateTaskRequest, spec *bundle.Spec, f *found) (*taskapi.CreateTaskResponse, error) {
	side, err := sidecar.New(r.ID, r.Bundle, spec, f.entry, f.programs)
	if err != nil {
		f.code.Close()
		return nil, err
	}
	side.Code = f.code
	if !s.add(side) { // before it exists, see Create
		side.Close()
		side.Code.Close()
		return nil, status.Errorf(codes.AlreadyExists, "mayfly: there is a sidecar with the id %s", r.ID)
	}
	resp, err := s.TTRPCTaskService.Create(ctx, r)
	if err != nil {
		s.forget(r.ID)
		return nil, err
	}
	return resp, side.Created(int(resp.Pid))
}

// Start starts a container or one of its exec processes. A sidecar's answer comes when its engine is ready.
func (s *service) Start(ctx context.Context, r *taskapi.StartRequest) (*taskapi.StartResponse, error) {
	side := s.sidecar(r.ID)
	if r.ExecID != "" {
		return s.TTRPCTaskService.Start(ctx, r)
	}
	resp, err := s.startContainer(ctx, side, r)
	if err != nil {
		s.mains.its().Ended(r.ID, failedStart)
	}
	return resp, err
}

func (s *service) startContainer(ctx context.Context, side *sidecar.Sidecar, r *taskapi.StartRequest) (*taskapi.StartResponse, error) {
	if side == nil {
		return s.TTRPCTaskService.Start(ctx, r)
	}
	resp, err := s.startSidecar(ctx, side, r)
	return resp, toGRPC(err)
}

func (s *service) startSidecar(ctx context.Context, side *sidecar.Sidecar, r *taskapi.StartRequest) (*taskapi.StartResponse, error) {
	if err := side.Begin(); err != nil {
		return nil, err
	}
	begin := time.Now()
	var sockets []*os.File
	if side.Config.Trigger == config.TriggerHTTP {
		var err error
		if sockets, err = s.pod.Listen(ctx, side.Owner(), side.Config.Listen); err != nil {
			side.Retreat()
			return nil, err
		}
	}
	resp, err := s.TTRPCTaskService.Start(ctx, r)
	if err != nil {
		s.pod.Abandon(side.ID)
		side.Retreat()
		return nil, err
	}
	if err := side.Handshake(ctx, sockets); err != nil {
		s.end(ctx, side.ID)
		return nil, err
	}
	if side.Command() && len(sockets) > 0 {
		// A component may be either, and only the engine looks. What comes next in the pod may want the port.
		s.pod.Abandon(side.ID)
	}
	log.G(ctx).WithFields(log.Fields{
		"id": side.ID, "name": side.Name, "command": side.Command(), "sockets": len(sockets), "in": time.Since(begin).Round(time.Millisecond),
	}).Info("the sidecar is ready")
	s.mains.started(side)
	return resp, nil
}

// end kills a sidecar that did not start and waits until it is dead, so that Delete finds it so.
func (s *service) end(ctx context.Context, id string) {
	// The caller may be gone; the container has to go all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer cancel()
	_, err := s.TTRPCTaskService.Kill(ctx, &taskapi.KillRequest{ID: id, Signal: uint32(unix.SIGKILL), All: true})
	if err != nil && !errdefs.IsNotFound(errgrpc.ToNative(err)) {
		log.G(ctx).WithError(err).WithField("id", id).Warn("kill a sidecar that did not start")
	}
	if _, err := s.TTRPCTaskService.Wait(ctx, &taskapi.WaitRequest{ID: id}); err != nil {
		log.G(ctx).WithError(err).WithField("id", id).Warn("wait for a sidecar that did not start")
	}
	s.pod.Abandon(id)
}

// Kill sends a signal to a container or one of its exec processes.
func (s *service) Kill(ctx context.Context, r *taskapi.KillRequest) (*emptypb.Empty, error) {
	if r.ExecID == "" {
		s.mains.its().Stopped(r.ID)
	}
	return s.kill(ctx, r)
}

// mostKills is how many runcs send signals at once: kubelet ends all containers of a pod at the same moment, and some pods have hundreds.
const mostKills = 8

func (s *service) kill(ctx context.Context, r *taskapi.KillRequest) (*emptypb.Empty, error) {
	if r.ExecID != "" { // without runc
		return s.TTRPCTaskService.Kill(ctx, r)
	}
	select {
	case s.kills <- struct{}{}:
		defer func() { <-s.kills }()
	case <-ctx.Done():
		return nil, toGRPC(fmt.Errorf("wait for other signals to be sent: %w", ctx.Err()))
	}
	return s.TTRPCTaskService.Kill(ctx, r)
}

// Delete removes a container that has ended, or one of its exec processes.
func (s *service) Delete(ctx context.Context, r *taskapi.DeleteRequest) (*taskapi.DeleteResponse, error) {
	resp, err := s.TTRPCTaskService.Delete(ctx, r)
	if err == nil && r.ExecID == "" {
		s.mains.its().Ended(r.ID, resp.ExitStatus) // it may overtake the event
		s.forget(r.ID)
	}
	return resp, err
}

// exited is told by the observer of events that a container's process has ended.
func (s *service) exited(id string, pid int, status uint32) {
	// An exec process may have the container's id for its own.
	if side := s.sidecar(id); side != nil {
		if !side.Is(pid) {
			return
		}
		side.Exited()
		s.pod.Release(id)
	} else if known := s.linuxPid(id); known != 0 && known != pid {
		return
	}
	s.mains.its().Ended(id, status)
}

func (s *service) add(side *sidecar.Sidecar) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sidecars[side.ID] != nil {
		return false
	}
	s.sidecars[side.ID] = side
	return true
}

func (s *service) sidecar(id string) *sidecar.Sidecar {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sidecars[id]
}

func (s *service) remember(id, name string, pid int) {
	if name == "" {
		name = id
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.linux[id] = linux{name, pid}
}

// linuxPid is the first process of a Linux container, 0 when that is not known.
func (s *service) linuxPid(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.linux[id].pid
}

// forget drops what the shim knows of a container that is gone.
func (s *service) forget(id string) {
	s.mu.Lock()
	side := s.sidecars[id]
	delete(s.sidecars, id)
	delete(s.linux, id)
	s.mu.Unlock()
	if side != nil {
		side.Exited()
		s.pod.Release(id)
		side.Close()
		side.Code.Close()
	}
}

const (
	// whosePatience bounds the search for who is in the way of a socket, which takes milliseconds unless the node is very busy.
	whosePatience = 5 * time.Second
	// whoseDescriptors bounds the descriptors that are looked at, of all processes together.
	whoseDescriptors = 20_000
)

// whoseSocket names the Linux container of this pod that has a socket open, "" when none of them has.
func (s *service) whoseSocket(ctx context.Context, inode uint64) string {
	ctx, cancel := context.WithTimeout(ctx, whosePatience)
	defer cancel()
	s.mu.Lock()
	others := maps.Clone(s.linux)
	s.mu.Unlock()
	budget := whoseDescriptors
	for id, other := range others {
		pids, err := s.Pids(ctx, &taskapi.PidsRequest{ID: id})
		if err != nil {
			continue
		}
		for _, p := range pids.Processes {
			if ctx.Err() == nil && podnet.HasSocket(int(p.Pid), inode, &budget) {
				return other.name
			}
		}
	}
	return ""
}

// close frees what is left at the shim's end.
func (s *service) close() {
	s.mains.its().Close()
	s.pod.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, side := range s.sidecars {
		side.Close()
		side.Code.Stop()
		delete(s.sidecars, id)
	}
}

// toGRPC gives our errors the code that containerd acts on, and one line of text, which kubelet shows. Those of the runc service
// have both.
func toGRPC(err error) error {
	code := codes.Unknown
	switch {
	case err == nil:
		return nil
	case errors.Is(err, config.ErrVariable), errors.Is(err, config.ErrAnnotation), errors.Is(err, bundle.ErrNotWasm), errors.Is(err, bundle.ErrReserved), errors.Is(err, podnet.ErrNoAddress), errors.Is(err, sidecar.ErrRefused):
		code = codes.InvalidArgument
	case errors.Is(err, sidecar.ErrState), errors.Is(err, podnet.ErrInUse):
		code = codes.FailedPrecondition
	default:
		if _, ok := status.FromError(err); ok {
			return err
		}
	}
	text := "mayfly: " + err.Error()
	return status.Error(code, strings.ToValidUTF8(text[:min(len(text), maxError)], "?"))
}

// maxError bounds an error's text, in bytes: an image has a say in it, and a message too large for ttrpc ends the connection.
const maxError = 8 << 10
