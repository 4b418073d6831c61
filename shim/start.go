//go:build linux

package shim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/containerd/cgroups/v3"
	"github.com/containerd/cgroups/v3/cgroup1"
	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/containerd/containerd/v2/defaults"
	"github.com/containerd/containerd/v2/pkg/atomicfile"
	"github.com/containerd/containerd/v2/pkg/schedcore"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"golang.org/x/sys/unix"
)

// groupAnnotations name the group that shares a shim; the first one present counts. The second is the pod.
var groupAnnotations = []string{
	"io.containerd.runc.v2.group",
	"io.kubernetes.cri.sandbox-id",
}

// start makes sure that the container's pod has a shim and tells containerd its address.
func start(ctx context.Context, f flags, stdin io.Reader, stdout io.Writer) error {
	r, err := readRequest(f, stdin, os.Getenv)
	if err != nil {
		return err
	}
	group, err := readGroup("config.json", f.id)
	if err != nil {
		return err
	}
	dir := r.socketDir
	if dir == "" {
		dir = filepath.Join(defaults.DefaultStateDir, "s")
	}
	address, err := containerdshim.CreateSocketAddress(ctx, dir, r.grpcAddress, group, false)
	if err != nil {
		return fmt.Errorf("choose the shim's address: %w", err)
	}
	socket, err := listenOrJoin(address)
	if err != nil {
		return err
	}
	if socket != nil {
		defer socket.Close()
		if err := startDaemon(f, r, socket); err != nil {
			_ = containerdshim.RemoveSocket(address)
			return err
		}
	}
	if r.dialect != protobuf {
		if err := writeAddress(address); err != nil {
			return err
		}
	}
	return r.answer(stdout, address)
}

// readGroup returns the id under which the bundle's container shares a shim, its own id when it does not.
func readGroup(config, id string) (string, error) {
	b, err := os.ReadFile(config)
	if err != nil {
		return "", fmt.Errorf("read the bundle: %w", err)
	}
	var spec struct {
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(b, &spec); err != nil {
		return "", fmt.Errorf("read the bundle's config.json: %w", err)
	}
	for _, a := range groupAnnotations {
		if group := spec.Annotations[a]; group != "" {
			return group, nil
		}
	}
	return id, nil
}

// startDaemon starts this binary again as the pod's shim, with the socket as descriptor 3.
func startDaemon(f flags, r *request, socket *os.File) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"-namespace", f.namespace, "-id", f.id, "-address", r.grpcAddress}
	if r.debug {
		args = append(args, "-debug")
	}
	cmd := exec.Command(self, args...)
	// Each processor that Go may use has memory of its own, and nodes run hundreds of shims.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2", "TTRPC_ADDRESS="+r.ttrpcAddress)
	cmd.ExtraFiles = []*os.File{socket}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}

	// A core scheduling cookie is the thread's that made it, and is inherited.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if os.Getenv("SCHED_CORE") != "" {
		if err := schedcore.Create(schedcore.ProcessGroup); err != nil {
			return fmt.Errorf("switch core scheduling on: %w", err)
		}
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the shim: %w", err)
	}
	defer func() {
		if err != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}()
	if group := r.options.GetShimCgroup(); group != "" {
		if err := joinCgroup(group, cmd.Process.Pid); err != nil {
			return fmt.Errorf("move the shim to cgroup %s: %w", group, err)
		}
	}
	// Where we may not change scores (no CAP_SYS_RESOURCE), the shim keeps containerd's, which does no harm.
	if err := containerdshim.AdjustOOMScore(cmd.Process.Pid); err != nil && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("adjust the shim's OOM score: %w", err)
	}
	return cmd.Process.Release()
}

func joinCgroup(group string, pid int) error {
	if cgroups.Mode() == cgroups.Unified {
		cg, err := cgroup2.Load(group)
		if err != nil {
			return err
		}
		return cg.AddProc(uint64(pid))
	}
	cg, err := cgroup1.Load(cgroup1.StaticPath(group))
	if err != nil {
		return err
	}
	return cg.AddProc(uint64(pid))
}

// writeAddress notes the address in the bundle, where containerd 1.x looks for it after a restart.
func writeAddress(address string) error {
	path, err := filepath.Abs(addressFile)
	if err != nil {
		return err
	}
	f, err := atomicfile.New(path, 0o644)
	if err != nil {
		return fmt.Errorf("write the address to the bundle: %w", err)
	}
	if _, err := f.Write([]byte(address)); err != nil {
		_ = f.Cancel()
		return fmt.Errorf("write the address to the bundle: %w", err)
	}
	return f.Close()
}
