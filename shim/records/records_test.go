//go:build linux

package records

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/pkg/namespaces"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// field is a message's field that holds others, or text.
func field(n protowire.Number, parts ...string) string {
	return string(protowire.AppendString(protowire.AppendTag(nil, n, protowire.BytesType), strings.Join(parts, "")))
}

func number(n protowire.Number, value uint64) string {
	return string(protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), value))
}

// serve answers every question at a socket like this.
func serve(t *testing.T, socket string, answer func(ctx context.Context, method, request string) (string, error)) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.ForceServerCodec(verbatim{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		text, err := answer(stream.Context(), method, string(request))
		if err != nil {
			return err
		}
		return stream.SendMsg([]byte(text))
	}))
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		<-served
	})
}

func TestContainerdIsAskedForLabels(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "c.sock")
	serve(t, socket, func(ctx context.Context, method, request string) (string, error) {
		in, _ := metadata.FromIncomingContext(ctx)
		if method != "/containerd.services.containers.v1.Containers/Get" || request != field(1, "sandbox") ||
			!reflect.DeepEqual(in.Get("containerd-namespace"), []string{"k8s.io"}) {
			return "", status.Errorf(codes.InvalidArgument, "%s %q %v", method, request, in)
		}
		return field(1, field(1, "sandbox"), field(2, field(1, "job-name"), field(2, "j")), number(9, 7), field(2, field(1, "empty"))), nil
	})
	ctx := namespaces.WithNamespace(t.Context(), "k8s.io")
	got, err := Labels(ctx, socket, "sandbox")
	if want := map[string]string{"job-name": "j", "empty": ""}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Labels(ctx, socket, "another"); err == nil || !strings.Contains(err.Error(), "about container another") {
		t.Errorf("got %v", err)
	}
}

// kubelet makes a kubelet's directory and serves what is in it.
func kubelet(t *testing.T, answer string, err error) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "pod-resources"), 0o700); err != nil {
		t.Fatal(err)
	}
	serve(t, filepath.Join(dir, "pod-resources", "kubelet.sock"), func(context.Context, string, string) (string, error) { return answer, err })
	return dir
}

func TestKubeletIsAskedForAPodsContainers(t *testing.T) {
	container := func(name string) string { return field(3, field(1, name), number(3, 1), field(2, "devices")) }
	answer := field(1, field(1, "a"), field(2, "other"), container("x")) +
		field(1, container("side"), field(1, "a"), field(2, "default"), container("main")) +
		field(1, field(1, "b"), field(2, "default"), container("y"))
	dir := kubelet(t, answer, nil)
	got, err := Containers(t.Context(), dir, "default", "a")
	if want := []string{"side", "main"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Containers(t.Context(), dir, "default", "c"); !errors.Is(err, ErrUnknown) || !errors.Is(err, ErrAbsent) {
		t.Errorf("of a pod that it does not know: %v", err)
	}
}

func TestWhereKubeletDoesNotTell(t *testing.T) {
	empty := t.TempDir()
	for _, tc := range []struct {
		name    string
		dir     string
		forGood bool
	}{
		{"no kubelet", empty, true},
		{"a kubelet without the service", kubelet(t, "", status.Error(codes.Unimplemented, "unknown service")), true},
		{"a kubelet in trouble", kubelet(t, "", status.Error(codes.Unavailable, "later")), false},
		{"nonsense", kubelet(t, "\x0a\xff", nil), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Containers(t.Context(), tc.dir, "default", "a")
			if err == nil || errors.Is(err, ErrUnknown) != tc.forGood {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestASocketOfSomebodyElseIsNotKubelets(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: gives a socket away")
	}
	dir := kubelet(t, field(1, field(1, "a"), field(2, "default"), field(3, field(1, "side"))), nil)
	if err := os.Chown(filepath.Join(dir, "pod-resources", "kubelet.sock"), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if got, err := Containers(t.Context(), dir, "default", "a"); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(field(1, field(1, "a"), field(2, "default"), field(3, field(1, "side")))))
	f.Add([]byte(field(1, field(2, field(1, "k"), field(2, "v")))))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, answer []byte) {
		for _, err := range []error{
			func() error { _, err := parseLabels(answer); return err }(),
			func() error { _, err := parseContainers(answer, "default", "a"); return err }(),
		} {
			if err != nil && !errors.Is(err, errMalformed) {
				t.Error(err)
			}
		}
	})
}
