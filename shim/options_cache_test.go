//go:build linux

package shim

import (
	"bytes"
	"strings"
	"testing"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/log"
	"github.com/containerd/typeurl/v2"
	"github.com/sirupsen/logrus"

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
		{"a number", table(`CompileCacheSize = 2147483648`), nil, `CompileCacheSize = 2147483648: want a size in quotes, such as "2Gi"`},
		{"several sizes", table(`CompileCacheSize = ["2Gi"]`), nil, `CompileCacheSize: want a size in quotes`},
		{"yes or no", table("CompileCache = false"), nil, `CompileCache = false: want an absolute path in quotes, or "off"`},
		{"in small letters", table(`compilecache = "/cache"`), &code.Store{Dir: "/cache", Limit: code.DefaultLimit}, ""},
		{"no size of no cache", table("CompileCache = \"off\"\nCompileCacheSize = \"much\""), nil, "2Gi"},
		{"no such file", &runtimeoptions.Options{ConfigPath: "/does/not/exist"}, nil, "/does/not/exist"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			value, err := typeurl.MarshalAnyToProto(tc.value)
			if err != nil {
				t.Fatal(err)
			}
			got, err := storeOptions(t.Context(), value)
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
	if got, err := storeOptions(t.Context(), nil); err != nil || *got != *normal {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAnOptionThatIsMisspeltIsTold(t *testing.T) {
	value, err := typeurl.MarshalAnyToProto(&runtimeoptions.Options{
		ConfigBody: []byte("SystemdCgroup = true\nFromTheFuture = 1\nCompilCache = \"off\"\nCompileCacheLimit = \"2Gi\"\nCompileCacheSize = \"2Gi\"\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	logger := logrus.New()
	logger.SetOutput(&said)
	if _, err := storeOptions(log.WithLogger(t.Context(), logrus.NewEntry(logger)), value); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CompilCache is unknown", "CompileCacheLimit is unknown"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the log does not have %q: %s", want, &said)
		}
	}
	if n := strings.Count(said.String(), "\n"); n != 2 {
		t.Errorf("%d lines: %s", n, &said)
	}
}
