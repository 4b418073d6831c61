//go:build linux

package shim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/containerd/v2/pkg/protobuf/types"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/types/known/anypb"
)

func TestOptionsOfEveryFormReachRunc(t *testing.T) {
	file := filepath.Join(t.TempDir(), "options.toml")
	if err := os.WriteFile(file, []byte("BinaryName = \"crun\"\nSystemdCgroup = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		value any
	}{
		{"runc's own", &options.Options{BinaryName: "crun", SystemdCgroup: true}},
		{"a table of containerd's configuration", &runtimeoptions.Options{ConfigBody: []byte("BinaryName = \"crun\"\nSystemdCgroup = true\nFromTheFuture = 1\n")}},
		{"a file", &runtimeoptions.Options{ConfigPath: file}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			value, err := typeurl.MarshalAnyToProto(tc.value)
			if err != nil {
				t.Fatal(err)
			}
			translated, err := toRuncOptions(value, false)
			if err != nil {
				t.Fatal(err)
			}
			v, err := typeurl.UnmarshalAny(translated)
			if err != nil {
				t.Fatal(err)
			}
			if o, ok := v.(*options.Options); !ok || o.BinaryName != "crun" || !o.SystemdCgroup {
				t.Errorf("got %v", v)
			}
		})
	}
}

func TestNoOptionsStayNone(t *testing.T) {
	for _, value := range []*anypb.Any{nil, {}} {
		if got, err := toRuncOptions(value, false); got != nil || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
	}
}

func TestSystemdNeedNotStandInTheOptions(t *testing.T) {
	set, err := typeurl.MarshalAnyToProto(&options.Options{BinaryName: "crun"})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []*anypb.Any{nil, {}, set} {
		translated, err := toRuncOptions(value, true)
		if err != nil {
			t.Fatal(err)
		}
		o, err := runcOptions(translated)
		if err != nil || !o.SystemdCgroup || (o.BinaryName == "crun") != (value == set) {
			t.Errorf("got %v, %v", o, err)
		}
	}
}

func TestBadOptionsAreRefusedInWords(t *testing.T) {
	for name, tc := range map[string]struct {
		value any
		want  string
	}{
		"no TOML":        {&runtimeoptions.Options{ConfigBody: []byte("SystemdCgroup = maybe")}, "SystemdCgroup = true"},
		"no such file":   {&runtimeoptions.Options{ConfigPath: "/does/not/exist"}, "/does/not/exist"},
		"something else": {&types.Empty{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := typeurl.MarshalAnyToProto(tc.value)
			if err != nil {
				t.Fatal(err)
			}
			value.Value = append(value.Value, 0x7a, 0) // an unknown field, so that an empty message has a value
			if _, err := toRuncOptions(value, false); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
}
