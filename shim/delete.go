//go:build linux

package shim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/manager"
	"github.com/containerd/containerd/v2/pkg/sys/reaper"
	"github.com/containerd/go-runc"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mayfly-run/mayfly/shim/lockdown"
)

// deleteAfterShim removes what the container of a dead shim left: processes, cgroup, mounts, and the shim's socket.
//
// A sidecar leaves nothing more than a Linux container does: its engine dies with the holder, the last copies of its listeners die with
// both, and its control socket lies in the bundle, which containerd removes. A unix socket's file stays in its volume until
// the next sidecar there finds that nobody listens on it.
func deleteAfterShim(ctx context.Context, f flags, stdout io.Writer) error {
	bundle, err := bundlePath(f)
	if err != nil {
		return err
	}
	if err := reaper.SetSubreaper(1); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	// Somebody must reap what the dead shim's containers leave to us, and then runc's own exits are seen there too.
	runc.Monitor = reaper.Default
	defer reapChildren()()
	status, err := manager.NewShimManager(runtimeName).Stop(ctx, f.id)
	if err != nil {
		return fmt.Errorf("delete %s: %w", f.id, err)
	}
	removeSocket(readAddress(bundle))
	lockdown.Sweep()
	b, err := proto.Marshal(&taskapi.DeleteResponse{
		Pid:        uint32(status.Pid),
		ExitStatus: uint32(status.ExitStatus),
		ExitedAt:   timestamppb.New(status.ExitedAt),
	})
	if err != nil {
		return err
	}
	_, err = stdout.Write(b)
	return err
}

// reapChildren reaps until the returned function is called, which waits for it to end.
func reapChildren() (stop func()) {
	signals := make(chan os.Signal, 32)
	signal.Notify(signals, unix.SIGCHLD)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range signals {
			_ = reaper.Reap()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}

// readAddress returns the address of the bundle's shim as containerd or start noted it, "" when neither did.
func readAddress(bundle string) string {
	if b, err := os.ReadFile(filepath.Join(bundle, "bootstrap.json")); err == nil {
		var result struct {
			Address string `json:"address"`
		}
		if json.Unmarshal(b, &result) == nil && result.Address != "" {
			return result.Address
		}
	}
	b, err := os.ReadFile(filepath.Join(bundle, addressFile))
	if err != nil {
		return ""
	}
	return string(b)
}
