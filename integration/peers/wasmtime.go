package peers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/guests/toolchain"
)

// WasmtimeVersion is the one whose answers integration/differential knows.
const WasmtimeVersion = "48.0.8"

// wasmtimeFeatures are what serving and compiling components takes: "serve" does not build without the async ones. Less than a
// release has, so that nothing that is not asked of it makes it slower.
const wasmtimeFeatures = "run,serve,compile,component-model-async,cranelift,pooling-allocator,parallel-compilation"

// Wasmtime is a binary of wasmtime.
type Wasmtime struct {
	Version string
	binary  string
}

// FindWasmtime returns the wasmtime in MAYFLY_WASMTIME or in PATH, or has cargo build one.
func FindWasmtime(progress *lab.Progress) (*Wasmtime, error) {
	binary := os.Getenv("MAYFLY_WASMTIME")
	if binary == "" {
		binary, _ = exec.LookPath("wasmtime")
	}
	if binary == "" {
		var err error
		if binary, err = buildWasmtime(progress); err != nil {
			return nil, err
		}
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	version := firstLine(binary, "--version")
	if version == "" {
		return nil, fmt.Errorf("%s does not run: set MAYFLY_WASMTIME to one that does", binary)
	}
	return &Wasmtime{version, binary}, nil
}

// Server is "wasmtime serve" under a name, with more flags.
func (w *Wasmtime) Server(name string, g Guest, flags ...string) *Server {
	return &Server{Name: name, Version: w.Version, Command: func(file string, port int, _ string) []string {
		args := slices.Concat([]string{w.binary, "serve", "-Scli"}, flags, g.flags())
		if g.Network {
			args = append(args, "-Sinherit-network", "-Sallow-ip-name-lookup")
		}
		return append(args, "--addr", address(port), file)
	}}
}

// Compile writes what wasmtime makes of a component to a file, which a Server with --allow-precompiled serves as it is.
func (w *Wasmtime) Compile(file, to string) error {
	if err := (toolchain.Env{}).Run("", w.binary, "compile", "-o", to, file); err != nil {
		return fmt.Errorf("%s: %w; a wasmtime without the feature compile cannot", w.binary, err)
	}
	return nil
}

func buildWasmtime(progress *lab.Progress) (string, error) {
	name := "wasmtime-" + WasmtimeVersion + "-compile"
	cache, err := toolchain.CacheDir()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(cache, name, "bin", "wasmtime")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if _, err := exec.LookPath("cargo"); err != nil {
		return "", errors.New("there is no wasmtime, and no cargo to build it: install one of them, or set MAYFLY_WASMTIME")
	}
	if err := toolchain.Provide(toolchain.CC); err != nil {
		return "", err
	}
	return binary, progress.Do("build wasmtime "+WasmtimeVersion+", once, ten to thirty minutes", func() error {
		_, err := toolchain.Entry(name, func(dir string) error {
			target, err := os.MkdirTemp("", "mayfly-cargo-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(target)
			env := toolchain.Env{Vars: []string{"CARGO_TARGET_DIR=" + target}}
			return env.Run("", "cargo", "install", "--quiet", "--locked", "--root", dir, "wasmtime-cli@"+WasmtimeVersion,
				"--no-default-features", "--features", wasmtimeFeatures)
		})
		return err
	})
}
