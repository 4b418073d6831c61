package toolchain

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The versions the committed components are built with. Debian 13 has exactly
// this Rust, and it builds these versions of the tools.
const (
	rustRelease = "trixie"
	RustVersion = "1.85.1"

	WasmToolsVersion  = "1.239.0"
	WitBindgenVersion = "0.46.0"

	adaptersVersion = "1.35.0" // of jco, which carries wasmtime's
)

// wrapper runs a program of the unpacked release with that release's own loader
// and libraries. It stands in bin, the release in root.
const wrapper = `#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")/root
lib=$(echo "$root"/usr/lib/*-linux-gnu)
exec "$(echo "$lib"/ld-linux-*.so.*)" --library-path "$lib:$(echo "$root"/usr/lib/llvm-*/lib)" "$root/usr/bin/%s" %s"$@"
`

// Rust is Debian 13's Rust with the standard library for wasm32-wasip1 and
// wasm32-wasip2, unpacked in the cache.
func Rust() (Env, error) {
	if err := Provide(CC); err != nil {
		return Env{}, err
	}
	dir, err := Entry("rust-"+RustVersion, func(dir string) error {
		root, bin := filepath.Join(dir, "root"), filepath.Join(dir, "bin")
		if err := unpack(root, rustRelease, "rustc", "cargo", "libstd-rust-dev-wasm32", "lld-19"); err != nil {
			return err
		}
		if err := os.Mkdir(bin, 0o755); err != nil {
			return err
		}
		for name, program := range map[string][2]string{
			"rustc":   {"rustc", `--sysroot "$root/usr" `},
			"cargo":   {"cargo", ""},
			"wasm-ld": {"wasm-ld-19", ""},
		} {
			script := fmt.Sprintf(wrapper, program[0], program[1])
			if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
				return err
			}
		}
		version, err := (Env{}).Output("", filepath.Join(bin, "rustc"), "--version")
		if err == nil && !strings.HasPrefix(version, "rustc "+RustVersion+" ") {
			err = fmt.Errorf("the packages of Debian %s have %s, not %s: set RustVersion and rebuild every component", rustRelease, strings.TrimSpace(version), RustVersion)
		}
		return err
	})
	if err != nil {
		return Env{}, err
	}
	bin := filepath.Join(dir, "bin")
	home, err := cargoHome()
	if err != nil {
		return Env{}, err
	}
	// A panic tells the source file it is in. Where that was is nobody's
	// business, and would make every machine's build another one.
	remap := "--remap-path-prefix=" + home + "=/cargo"
	return Env{
		Path: []string{bin},
		Vars: []string{
			"RUSTC=" + filepath.Join(bin, "rustc"),
			"CARGO_HOME=" + home,
			"CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS=" + remap,
			"CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS=" + remap + " -Clinker-flavor=wasm-ld",
		},
	}, nil
}

func cargoHome() (string, error) {
	if home := os.Getenv("CARGO_HOME"); home != "" {
		return home, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find cargo's directory: %w; set CARGO_HOME", err)
	}
	return filepath.Join(home, ".cargo"), nil
}

// Components is Rust with wasm-tools and wit-bindgen, which cargo builds: that
// takes some ten minutes once.
func Components() (Env, error) {
	env, err := Rust()
	if err != nil {
		return Env{}, err
	}
	for _, tool := range []struct{ crate, version string }{
		{"wasm-tools", WasmToolsVersion},
		{"wit-bindgen-cli", WitBindgenVersion},
	} {
		dir, err := Entry(tool.crate+"-"+tool.version, func(dir string) error {
			target, err := os.MkdirTemp("", "mayfly-cargo-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(target)
			build := env
			build.Vars = append(build.Vars[:len(build.Vars):len(build.Vars)], "CARGO_TARGET_DIR="+target)
			return build.Run("", "cargo", "install", "--quiet", "--locked", "--root", dir, tool.crate+"@"+tool.version)
		})
		if err != nil {
			return Env{}, err
		}
		env.Path = append(env.Path, filepath.Join(dir, "bin"))
	}
	return env, nil
}

// Adapters returns the directory of the modules that implement WASI 0.1 on WASI
// 0.2: wasi_snapshot_preview1.{command,reactor}.wasm.
func Adapters() (string, error) {
	if err := Provide(NodeJS); err != nil {
		return "", err
	}
	return Entry("wasi-adapters-"+adaptersVersion, func(dir string) error {
		// The package alone: what jco depends on is large.
		name, err := (Env{}).Output(dir, "npm", "pack", "--silent", "@bytecodealliance/jco@"+adaptersVersion)
		if err != nil {
			return err
		}
		archive := strings.TrimSpace(name)
		if err := (Env{}).Run(dir, "tar", "-xzf", archive, "--strip-components=2", "--wildcards", "package/lib/wasi_snapshot_preview1.*.wasm"); err != nil {
			return err
		}
		return os.Remove(filepath.Join(dir, archive))
	})
}
