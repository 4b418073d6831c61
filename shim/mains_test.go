//go:build linux

package shim

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/shim/bundle"
	"github.com/mayfly-run/mayfly/shim/finish"
	"github.com/mayfly-run/mayfly/shim/records"
	"github.com/mayfly-run/mayfly/shim/sidecar"
)

func TestMain(m *testing.M) { leak.Main(m) }

// fakeTasks is a runc task service whose containers end on the signals that they are not deaf to.
type fakeTasks struct {
	taskapi.TTRPCTaskService
	service *service
	deaf    []uint32
	broken  bool // no container can be made

	signals []uint32
}

func (f *fakeTasks) Create(context.Context, *taskapi.CreateTaskRequest) (*taskapi.CreateTaskResponse, error) {
	if f.broken {
		return nil, errors.New("runc create failed")
	}
	return &taskapi.CreateTaskResponse{Pid: 7}, nil
}

func (f *fakeTasks) Kill(_ context.Context, r *taskapi.KillRequest) (*emptypb.Empty, error) {
	f.signals = append(f.signals, r.Signal)
	if !slices.Contains(f.deaf, r.Signal) {
		f.service.exited(r.ID, 0, 0)
	}
	return &emptypb.Empty{}, nil
}

func (f *fakeTasks) Delete(context.Context, *taskapi.DeleteRequest) (*taskapi.DeleteResponse, error) {
	return &taskapi.DeleteResponse{ExitStatus: 3}, nil
}

// aBundle is that of a container in a pod whose sidecars end with the container main.
func aBundle(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	config := `{"process":{},"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.container-name":"` + name + `",
		"io.kubernetes.cri.sandbox-id":"sandbox","mayfly.run/exit-with-main":"main"}}`
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// aPod has a sidecar that serves.
func aPod(t *testing.T) (*service, *fakeTasks) {
	t.Helper()
	s := newSidecars(t.Context(), "")
	f := &fakeTasks{service: s}
	s.TTRPCTaskService = f
	dir := aBundle(t, "side")
	spec, err := bundle.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	side, err := sidecar.New("side", dir, spec, &bundle.Entrypoint{Path: "/app.wasm"}, sidecar.Programs{})
	if err != nil {
		t.Fatal(err)
	}
	s.add(side)
	s.mains.join("side", spec, &found{})
	s.mains.its().Started("side", finish.Server)
	return s, f
}

func create(t *testing.T, s *service) error {
	t.Helper()
	_, err := s.Create(t.Context(), &taskapi.CreateTaskRequest{ID: "main", Bundle: aBundle(t, "main")})
	return err
}

func TestTheEndOfAMainContainerEndsTheSidecar(t *testing.T) {
	for _, tc := range []struct {
		name    string
		deaf    []uint32
		end     func(*service, *fakeTasks)
		signals []uint32
	}{
		{"it is done", nil, func(s *service, _ *fakeTasks) { s.exited("main", 7, 0) }, []uint32{control.SignalDone}},
		{"it failed", nil, func(s *service, _ *fakeTasks) { s.exited("main", 7, 1) }, []uint32{control.SignalFailed}},
		{"its end is learnt as it is deleted", nil, func(s *service, _ *fakeTasks) {
			_, _ = s.Delete(context.Background(), &taskapi.DeleteRequest{ID: "main"})
		}, []uint32{control.SignalFailed}},
		{"one of its exec processes has its id", nil, func(s *service, _ *fakeTasks) { s.exited("main", 8, 0) }, nil},
		{"somebody else stops the sidecar", []uint32{uint32(unix.SIGTERM)}, func(s *service, _ *fakeTasks) {
			_, _ = s.Kill(context.Background(), &taskapi.KillRequest{ID: "side", Signal: uint32(unix.SIGTERM)})
			s.exited("main", 7, 0)
		}, []uint32{uint32(unix.SIGTERM)}},
		{"the sidecar does not care", []uint32{control.SignalDone}, func(s *service, _ *fakeTasks) { s.exited("main", 7, 0) },
			[]uint32{control.SignalDone, uint32(unix.SIGKILL)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := aPod(t)
				f.deaf = tc.deaf
				if err := create(t, s); err != nil {
					t.Fatal(err)
				}
				tc.end(s, f)
				time.Sleep(time.Hour)
				s.close()
				if !slices.Equal(f.signals, tc.signals) {
					t.Errorf("the sidecar got signals %v, want %v", f.signals, tc.signals)
				}
			})
		})
	}
}

func TestAMainContainerThatCannotBeMadeHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := aPod(t)
		f.broken = true
		if err := create(t, s); err == nil {
			t.Fatal("it was made")
		}
		time.Sleep(time.Hour)
		s.close()
		if !slices.Equal(f.signals, []uint32{control.SignalFailed}) {
			t.Errorf("the sidecar got signals %v", f.signals)
		}
	})
}

func TestAKubeletThatHasJustStartedIsAskedAgain(t *testing.T) {
	m := &mains{}
	for n := 1; n < absentTries; n++ {
		if !m.mayYetBeTold(records.ErrAbsent) {
			t.Fatalf("it is given up after question %d", n)
		}
	}
	if m.mayYetBeTold(records.ErrAbsent) {
		t.Error("it is asked for ever")
	}
	if m.mayYetBeTold(records.ErrUnknown) {
		t.Error("a kubelet that never tells is asked again")
	}
	if !m.mayYetBeTold(errors.New("unavailable")) {
		t.Error("a kubelet in trouble is not asked again")
	}
}

func TestAnAnnotationThatMakesNoSenseFailsTheContainer(t *testing.T) {
	s := newSidecars(t.Context(), "")
	defer s.close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"annotations":{"mayfly.run/probe":"Guest"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.Create(t.Context(), &taskapi.CreateTaskRequest{ID: "a", Bundle: dir})
	want := `mayfly: mayfly.run/probe="Guest": want mayfly or guest; set it to, for example, mayfly or guest`
	if got := status.Convert(err).Message(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
