//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKillsForMemoryAreCounted(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       int
	}{
		{"cgroup v1", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", 3},
		{"cgroup v2", "low 0\nhigh 0\nmax 87\noom 2\noom_kill 2\noom_group_kill 1\n", 2},
		{"a kernel that does not count", "oom_kill_disable 0\nunder_oom 0\n", 0},
		{"cut short", "under_oom 0\noom_kill ", 0},
		{"nothing", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if n := parseOOMKills(tc.text); n != tc.want {
				t.Errorf("got %d, want %d", n, tc.want)
			}
		})
	}
}

func FuzzParseOOMKills(f *testing.F) {
	f.Add("oom_kill 3\n")
	f.Fuzz(func(t *testing.T, text string) {
		if n := parseOOMKills(text); n < 0 || n > 0 && !strings.Contains(text, "oom_kill ") {
			t.Errorf("%q counts %d", text, n)
		}
	})
}

func TestAnEngineKilledForMemoryEndsTheContainer(t *testing.T) {
	p := startHolder(t, "takes too much memory")
	p.ask(t)
	if code := p.exitCode(t); code != 137 {
		t.Errorf("exit code %d", code)
	}
	if log := p.log.String(); !strings.Contains(log, "the container's memory limit") {
		t.Errorf("the log does not say why: %s", log)
	}
}

func TestAnEngineKilledByHandDoesNotEndTheContainer(t *testing.T) {
	p := startHolder(t, "crashes")
	if err := os.WriteFile(filepath.Join(p.Dir, "oom"), []byte("oom_kill 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := p.ask(t)
	p.waitForEngines(t, 0)
	if second := p.ask(t); second == first {
		t.Errorf("the engine %s is still the one that answers", first)
	}
}
