//go:build linux

package main

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkStartEngine is the holder's part of a wake after it has seen the first byte: until the engine's program is the child's.
func BenchmarkStartEngine(b *testing.B) {
	program, err := exec.LookPath("true")
	if err != nil {
		b.Skip(err)
	}
	was := enginePath
	enginePath = program
	defer func() { enginePath = was }()
	for b.Loop() {
		e, err := startEngine([]string{"-module", "/app.wasm"}, nil, nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_, _ = unix.Wait4(e.pid, nil, 0, nil)
		_ = e.status.Close()
		b.StartTimer()
	}
}
