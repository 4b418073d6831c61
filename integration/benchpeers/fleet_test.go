//go:build linux

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mayfly-run/mayfly/integration/peers"
)

func TestAServerIsMeasuredWithWhatItCanServe(t *testing.T) {
	f := &fleet{kinds: []kind{
		{Server: &peers.Server{Name: "all"}},
		{Server: &peers.Server{Name: "go only"}, only: "go"},
		{Server: &peers.Server{Name: "not js", Cannot: func(component string) string {
			if component == "js" {
				return "it cannot"
			}
			return ""
		}}},
	}}
	for component, want := range map[string][]string{"c": {"all", "not js"}, "go": {"all", "go only", "not js"}, "js": {"all"}} {
		r := &results{}
		var got []string
		for _, k := range f.of(component, r.leaveOut) {
			got = append(got, k.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", component, got, want)
		}
		if told := len(r.LeftOut) > 0; told != (component == "js") {
			t.Errorf("%s: left out %q", component, r.LeftOut)
		}
	}
}

func TestACacheIsThatOfOneServerAndCanBeForgotten(t *testing.T) {
	dir := t.TempDir()
	s := &peers.Server{Name: "a"}
	forget := cacheOf(s, dir)
	cache := filepath.Join(dir, "cache-a")
	if !slices.Equal(s.Env, []string{"XDG_CACHE_HOME=" + cache}) {
		t.Errorf("environment %q", s.Env)
	}
	if err := os.Mkdir(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := forget(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(cache); !os.IsNotExist(err) {
		t.Errorf("it is there: %v", err)
	}
}

func TestACommandIsToldAsAPersonWouldWriteIt(t *testing.T) {
	got := said([]string{"/home/x/mayfly", "serve", "time.wasm", "--jco-dir", "/tmp/run/out"}, "/tmp/run")
	if want := "mayfly serve time.wasm --jco-dir DIR/out"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
