package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestTheCommandLine(t *testing.T) {
	f, err := parseFlags(strings.Fields("-status 3 -listen 4,5 -conn 6,7 -module /a.wasm -compiled 8 -memory-limit 100 -warn once -warn twice -- app -x y"))
	want := flags{status: 3, listen: []int{4, 5}, conns: []int{6, 7}, module: "/a.wasm", compiled: 8, memoryLimit: 100,
		warnings: []string{"once", "twice"}, args: []string{"app", "-x", "y"}}
	if err != nil || !reflect.DeepEqual(f, want) {
		t.Errorf("got %+v, %v", f, err)
	}
	for _, wrong := range []string{
		"", "-module /a.wasm -- app", "-status 2 -module /a.wasm -- app", "-status 3 -module a.wasm -- app", "-status 3 -module /a.wasm",
		"-status 3 -listen 2 -module /a.wasm -- app", "-status 3 -listen x -module /a.wasm -- app", "-status 3 -wrong -module /a.wasm -- app",
		"-status 3 -compiled 2 -module /a.wasm -- app", "-status 3 -memory-limit -1 -module /a.wasm -- app", "-status 3 -conn " + strings.Repeat("9,", 2000) + "9 -module /a.wasm -- app",
	} {
		if f, err := parseFlags(strings.Fields(wrong)); err == nil {
			t.Errorf("%s: got %+v", wrong, f)
		}
	}
	if _, err := parseFlags([]string{"--help"}); err == nil || !strings.Contains(err.Error(), "mayfly --help") {
		t.Errorf("--help: %v", err)
	}
}
