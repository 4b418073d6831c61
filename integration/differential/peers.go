package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/guests/build"
	"github.com/mayfly-run/mayfly/internal/guests/toolchain"
)

// The peers whose answers known.txt is about.
const (
	wasmtimeVersion = "48.0.8"
	jcoVersion      = "1.35.0" // as in jco/package-lock.json
)

// wasmtimeFeatures are what serving components takes: "serve" does not build without the async ones.
const wasmtimeFeatures = "run,serve,component-model-async,cranelift,pooling-allocator,parallel-compilation"

//go:embed jco/package.json jco/package-lock.json
var jcoPackage embed.FS

// findMayfly returns the mayfly in MAYFLY, or builds this repository's into dir.
func findMayfly(dir string, progress *lab.Progress) (*server, error) {
	binary := os.Getenv("MAYFLY")
	if binary == "" {
		root, err := build.Root()
		if err != nil {
			return nil, err
		}
		binary = filepath.Join(dir, "mayfly")
		err = progress.Do("build mayfly", func() error {
			return (toolchain.Env{}).Run(root, "go", "build", "-trimpath", "-o", binary, "./cmd/mayfly")
		})
		if err != nil {
			return nil, err
		}
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	return &server{name: "mayfly", version: firstLine(binary, "--version"), command: func(file string, port int, _ string) []string {
		args := withEnv(binary, "serve", file, "--listen", address(port), "--env", "MAYFLY_ALLOWED_OUTBOUND=*://*:*")
		return append(append(args, "--"), guestArgs...)
	}}, nil
}

// findWasmtime returns the wasmtime in WASMTIME or in PATH, or has cargo build one.
func findWasmtime(progress *lab.Progress) (*server, error) {
	binary := os.Getenv("WASMTIME")
	if binary == "" {
		binary, _ = exec.LookPath("wasmtime")
	}
	if binary == "" {
		var err error
		if binary, err = buildWasmtime(progress); err != nil {
			return nil, err
		}
	}
	version := firstLine(binary, "--version")
	if version == "" {
		return nil, fmt.Errorf("%s does not run: set WASMTIME to one that does", binary)
	}
	return &server{name: "wasmtime", version: version, command: func(file string, port int, _ string) []string {
		args := withEnv(binary, "serve", "-Scli", "-Sinherit-network", "-Sallow-ip-name-lookup")
		return append(args, "--addr", address(port), file)
	}}, nil
}

func buildWasmtime(progress *lab.Progress) (string, error) {
	name := "wasmtime-" + wasmtimeVersion
	cache, err := toolchain.CacheDir()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(cache, name, "bin", "wasmtime")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if _, err := exec.LookPath("cargo"); err != nil {
		return "", errors.New("there is no wasmtime, and no cargo to build it: install one of them, or set WASMTIME")
	}
	if err := toolchain.Provide(toolchain.CC); err != nil {
		return "", err
	}
	return binary, progress.Do("build wasmtime "+wasmtimeVersion+", once, some minutes", func() error {
		_, err := toolchain.Entry(name, func(dir string) error {
			target, err := os.MkdirTemp("", "mayfly-cargo-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(target)
			env := toolchain.Env{Vars: []string{"CARGO_TARGET_DIR=" + target}}
			return env.Run("", "cargo", "install", "--quiet", "--locked", "--root", dir, "wasmtime-cli@"+wasmtimeVersion,
				"--no-default-features", "--features", wasmtimeFeatures)
		})
		return err
	})
}

// findJco returns jco, which npm installs when nobody has.
func findJco(progress *lab.Progress) (*server, error) {
	if err := toolchain.Provide(toolchain.NodeJS); err != nil {
		return nil, err
	}
	var dir string
	err := progress.Do("jco "+jcoVersion, func() (err error) {
		dir, err = toolchain.Entry("jco-"+jcoVersion, installJco)
		return err
	})
	if err != nil {
		return nil, err
	}
	node := firstLine("node", "--version")
	script := filepath.Join(dir, "node_modules/@bytecodealliance/jco/dist/jco.js")
	return &server{
		name: "jco", version: "jco " + jcoVersion + " on Node.js " + node, env: environment(),
		// An instance for each request, as the others have it; without that option one serves all.
		command: func(file string, port int, dir string) []string {
			args := []string{
				"node", script, "serve", "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--isolate-requests", "instance",
				"--jco-dir", filepath.Join(dir, "out"), file,
			}
			return append(args, guestArgs...)
		},
		cannot: func(component string) string {
			if major, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(node, ".")[0], "v")); component == "time-python" && major < 21 {
				return "componentize-py uses extended constant expressions, which Node.js has since version 21"
			}
			return ""
		},
	}, nil
}

// installJco installs by the lock file. "npm ci" would want it to name packages for every system there is, and some were never published.
func installJco(dir string) error {
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := jcoPackage.ReadFile("jco/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return (toolchain.Env{}).Run(dir, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund")
}

func address(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// firstLine is the first line of what a program prints, "" if it does not run.
func firstLine(name string, args ...string) string {
	out, err := (toolchain.Env{}).Output("", name, args...)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(out, "\n")
	return line
}
