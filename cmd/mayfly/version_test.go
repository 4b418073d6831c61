package main

import (
	"bytes"
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/version"
)

func TestDependencyIsTheVersionBuiltIn(t *testing.T) {
	info := &debug.BuildInfo{Deps: []*debug.Module{{Path: "example.com/x", Version: "v9"}, {Path: "example.com/y", Version: "v1.2.3"}}}
	if got := dependency(info, "example.com/y"); got != "v1.2.3" {
		t.Errorf("version %q, want v1.2.3", got)
	}
	for _, none := range []*debug.BuildInfo{info, nil} {
		if got := dependency(none, "example.com/z"); got != "unknown" {
			t.Errorf("version %q of what is not in the binary", got)
		}
	}
}

func TestVersionForAProgram(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := doMain([]string{"version", "-o", "json"}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	var v versions
	if err := json.Unmarshal(stdout.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if v.Version != version.Version || v.Go != runtime.Version() || v.Platform != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("printed %+v", v)
	}
}

func TestVersionForAPerson(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		var stdout, stderr bytes.Buffer
		if code := doMain([]string{arg}, nil, &stdout, &stderr); code != 0 {
			t.Fatalf("%s: exit %d: %s", arg, code, stderr.String())
		}
		for _, want := range []string{"mayfly    " + version.Version, "go        go1.", "wazero    "} {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("%s printed %q, without %q", arg, stdout.String(), want)
			}
		}
	}
}
