package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// example is one of the sidecars in examples/time.
type example struct {
	name   string
	module string
}

// examples finds the three, and builds the one that is not committed into dir.
func examples(ctx context.Context, dir string) ([]example, error) {
	c, err := filepath.Abs("examples/time/c/time.wasm")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(c); err != nil {
		return nil, fmt.Errorf("find the examples: %w; run this with make demo", err)
	}
	rust, err := filepath.Abs("examples/time/rust/time.wasm")
	if err != nil {
		return nil, err
	}
	golang := filepath.Join(dir, "time-go.wasm")
	if err := run(ctx, []string{"GOOS=wasip1", "GOARCH=wasm"}, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", golang, "examples/time/go/main.go"); err != nil {
		return nil, err
	}
	return []example{{"time-c", c}, {"time-go", golang}, {"time-rust", rust}}, nil
}

// run runs a command and, when it fails, says what it printed.
func run(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
