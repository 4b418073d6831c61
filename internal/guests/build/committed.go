package build

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mayfly-run/mayfly/internal/guests/toolchain"
)

// Committed builds the components that are committed, with the pinned tools,
// which it gets: over what is committed, or when dir is not empty into it, each
// under its path in the repository.
func Committed(dir string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	if err := toolchain.Provide(toolchain.Clang); err != nil {
		return err
	}
	env, err := toolchain.Components()
	if err != nil {
		return err
	}
	adapters, err := toolchain.Adapters()
	if err != nil {
		return err
	}
	target, err := os.MkdirTemp("", "mayfly-target-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(target)
	if dir == "" {
		dir = root
	}
	adapter := "ADAPTER=" + filepath.Join(adapters, "wasi_snapshot_preview1.reactor.wasm")
	for _, made := range []struct {
		dir, goal, adapter string
	}{
		{"internal/guests/components", "all", "ADAPTERS=" + adapters},
		{"examples/time/rust-component", "debian", adapter},
		{"examples/time/c-component", "module", adapter},
	} {
		// What is not a component stays out of the repository.
		out := filepath.Join(target, made.dir)
		if err := os.MkdirAll(out, 0o755); err != nil {
			return err
		}
		if err := env.Run(filepath.Join(root, made.dir), "make", made.goal, "OUT="+out, made.adapter); err != nil {
			return fmt.Errorf("build the components of %s: %w", made.dir, err)
		}
		if err := install(out, filepath.Join(dir, made.dir)); err != nil {
			return err
		}
	}
	return nil
}

// install copies the components in from into the directory to.
func install(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "*.wasm"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		wasm, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(file)), wasm, 0o644); err != nil {
			return err
		}
	}
	return nil
}
