//go:build linux

package shim

import (
	"strings"
	"testing"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/typeurl/v2"

	"github.com/mayfly-run/mayfly/shim/code"
)

func TestWhereTheCacheIs(t *testing.T) {
	table := func(text string) any { return &runtimeoptions.Options{ConfigBody: []byte(text)} }
	normal := &code.Store{Dir: code.DefaultDir, Limit: code.DefaultLimit}
	for _, tc := range []struct {
		name  string
		value any
		want  *code.Store
		err   string
	}{
		{"runc's own options say nothing of it", &options.Options{BinaryName: "crun"}, normal, ""},
		{"nor does a table", table("SystemdCgroup = true"), normal, ""},
		{"a path", table(`CompileCache = "/cache"`), &code.Store{Dir: "/cache", Limit: code.DefaultLimit}, ""},
		{"a size", table("SystemdCgroup = true\nCompileCacheSize = \"64Mi\""), &code.Store{Dir: code.DefaultDir, Limit: 64 << 20}, ""},
		{"none", table(`CompileCache = "off"`), nil, ""},
		{"a path that depends", table(`CompileCache = "cache"`), nil, "absolute"},
		{"an empty path", table(`CompileCache = ""`), nil, "off"},
		{"no size", table(`CompileCacheSize = "much"`), nil, "2Gi"},
		{"a size of nothing", table(`CompileCacheSize = "0"`), nil, "2Gi"},
		{"a number", table(`CompileCacheSize = 5`), nil, "CompileCacheSize"},
		{"no such file", &runtimeoptions.Options{ConfigPath: "/does/not/exist"}, nil, "/does/not/exist"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			value, err := typeurl.MarshalAnyToProto(tc.value)
			if err != nil {
				t.Fatal(err)
			}
			got, err := storeOptions(value)
			switch {
			case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
				t.Errorf("got %v, %v, want %q", got, err, tc.err)
			case tc.err == "" && err != nil:
				t.Error(err)
			case tc.want == nil && got != nil, tc.want != nil && (got == nil || *got != *tc.want):
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
	if got, err := storeOptions(nil); err != nil || *got != *normal {
		t.Errorf("got %v, %v", got, err)
	}
}
