//go:build linux

package shim

import (
	"bytes"
	"encoding/json"
	"testing"

	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"
)

// optionsOnStdin is what containerd writes to stdin when the runtime has options.
func optionsOnStdin(t *testing.T) []byte {
	t.Helper()
	a, err := typeurl.MarshalAnyToProto(&options.Options{ShimCgroup: "/shims", BinaryName: "crun"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func bootstrapParams(t *testing.T, id string) []byte {
	t.Helper()
	dir := "/run/short"
	b, err := proto.Marshal(&bootapi.BootstrapParams{
		InstanceID: id, Namespace: "k8s.io", LogLevel: bootapi.LogLevel_LOG_LEVEL_DEBUG,
		ContainerdTtrpcAddress: "/run/t.sock", ContainerdGrpcAddress: "/run/g.sock", SocketDir: &dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Each containerd asks in its dialect and must be answered in it.
func TestEveryContainerdIsAnsweredInItsDialect(t *testing.T) {
	const address = "unix:///run/containerd/s/abc"
	env16 := map[string]string{"TTRPC_ADDRESS": "/run/t.sock"}
	env17 := map[string]string{"TTRPC_ADDRESS": "/run/t.sock", "MAX_SHIM_VERSION": "2", "NAMESPACE": "k8s.io"}
	for _, tc := range []struct {
		name    string
		stdin   []byte
		env     map[string]string
		dialect dialect
		cgroup  string
	}{
		{"1.6 without options", nil, env16, plain, ""},
		{"1.6 with options", optionsOnStdin(t), env16, plain, "/shims"},
		{"1.7 to 2.2 without options", nil, env17, jsonAnswer, ""},
		{"1.7 to 2.2 with options", optionsOnStdin(t), env17, jsonAnswer, "/shims"},
		{"2.3 and later", bootstrapParams(t, "pod1"), env17, protobuf, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := flags{id: "pod1", namespace: "k8s.io", address: "/run/g.sock"}
			r, err := readRequest(f, bytes.NewReader(tc.stdin), func(k string) string { return tc.env[k] })
			if err != nil {
				t.Fatal(err)
			}
			if r.dialect != tc.dialect || r.ttrpcAddress != "/run/t.sock" || r.grpcAddress != "/run/g.sock" || r.options.GetShimCgroup() != tc.cgroup {
				t.Errorf("read %+v", r)
			}
			var out bytes.Buffer
			if err := r.answer(&out, address); err != nil {
				t.Fatal(err)
			}
			if got := parseAnswer(t, tc.dialect, out.Bytes()); got != address {
				t.Errorf("answered %q", out.String())
			}
		})
	}
}

// parseAnswer reads an answer as the containerd of that dialect does.
func parseAnswer(t *testing.T, d dialect, b []byte) string {
	t.Helper()
	switch d {
	case protobuf:
		var r bootapi.BootstrapResult
		if err := proto.Unmarshal(b, &r); err != nil || r.Version != 3 || r.Protocol != "ttrpc" {
			t.Fatalf("%v, %v", &r, err)
		}
		return r.Address
	case jsonAnswer:
		var r struct {
			Version           int
			Address, Protocol string
		}
		if err := json.Unmarshal(b, &r); err != nil || r.Version != 2 || r.Protocol != "ttrpc" {
			t.Fatalf("%v, %v", r, err)
		}
		return r.Address
	}
	return string(b)
}

func TestParametersOfAnotherContainerAreNotOurs(t *testing.T) {
	// An Any can parse as BootstrapParams, so only those that name this container count.
	f := flags{id: "pod1", namespace: "k8s.io"}
	_, err := readRequest(f, bytes.NewReader(bootstrapParams(t, "pod2")), func(string) string { return "" })
	if err == nil {
		t.Error("parameters for pod2 were taken for runtime options of pod1")
	}
}

func TestTheSocketDirectoryAndLogLevelAreTakenFromTheParameters(t *testing.T) {
	f := flags{id: "pod1", namespace: "k8s.io"}
	r, err := readRequest(f, bytes.NewReader(bootstrapParams(t, "pod1")), func(string) string { return "" })
	if err != nil || r.socketDir != "/run/short" || !r.debug {
		t.Errorf("read %+v, %v", r, err)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte("\x0a\x04pod1\x12\x06k8s.io"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, stdin []byte) {
		r, err := readRequest(flags{id: "pod1", namespace: "k8s.io"}, bytes.NewReader(stdin), func(string) string { return "" })
		if err == nil && r.options == nil {
			t.Error("no options")
		}
	})
}
