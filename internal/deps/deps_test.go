// Package deps holds the rules of what may depend on what, as tests.
package deps

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mayfly-run/mayfly"

// Each binary has a list of the packages outside the standard library that it is made of, so that a review sees a new one.
// "go test ./internal/deps -update" writes them.
var update = flag.Bool("update", false, "write the lists of dependencies")

func TestForbiddenDependencies(t *testing.T) {
	for _, rule := range []struct {
		from, to, why string
	}{
		{"shim/...", "github.com/tetratelabs/wazero", "the shim is root on the node: it never decodes, compiles or runs Wasm"},
		{"shim/...", module + "/runtime", "the shim is root on the node: it never decodes, compiles or runs Wasm"},
		{"shim/...", module + "/wasihttp", "root is not on the path of a request"},
		{"cmd/mayfly-init", "github.com/containerd", "there is a holder for every sidecar of a node: it links next to nothing"},
		{"cmd/mayfly-init", "net", "there is a holder for every sidecar of a node: it links next to nothing"},
		{"cmd/mayfly-init", "fmt", "there is a holder for every sidecar of a node: it links next to nothing"},
		{"runtime/...", "github.com/containerd", "the runtime knows no containers: others may want to import it"},
		{"runtime/...", "net/http", "the runtime knows no HTTP: that is wasihttp's"},
		{"runtime/...", module + "/wasihttp", "dependencies point down: wasihttp uses runtime"},
		{"runtime/component/...", module + "/runtime/wasi", "WASI is a host of components like any other"},
		{"runtime/component/abi", "github.com/tetratelabs/wazero", "the canonical ABI knows no engine, only functions and memories"},
		{"runtime/component/binary", "github.com/tetratelabs/wazero", "to take a component apart needs no engine"},
		{"runtime/component/validate", "github.com/tetratelabs/wazero", "whether a component is valid is decided before an engine sees it"},
		{"runtime/instance", module + "/runtime/component", "instances know core modules, and not what they are made into"},
		{"wasihttp/...", "github.com/containerd", "the same server runs on a laptop, where there is no containerd"},
		{"internal/config", module, "shim, engine and command line share it: it may need none of them"},
		{"internal/control", module, "shim, holder and engine share it: it may need none of them"},
		{"internal/nodecache", module, "shim and command line share it: it may need none of them"},
		{"internal/compiled", module, "shim and engine share it: it may need none of them"},
		{"shim/...", "k8s.io", "the shim is root on the node: it asks no API server"},
		{"runtime/...", "k8s.io", "only the benchmark of the command line talks to clusters"},
		{"wasihttp/...", "k8s.io", "only the benchmark of the command line talks to clusters"},
		{"cmd/mayfly-engine", "k8s.io", "only the benchmark of the command line talks to clusters"},
		{"internal/clusterbench/order", "k8s.io", "the program in every measured pod is small"},
		{"cmd/mayfly-engine", "github.com/containerd", "the engine runs in every sidecar, unprivileged: it has no use for it"},
	} {
		t.Run(rule.from+" does not import "+rule.to, func(t *testing.T) {
			for _, p := range list(t, "linux", rule.from) {
				own := strings.HasPrefix(p, module+"/"+strings.TrimSuffix(rule.from, "/..."))
				if !own && (p == rule.to || strings.HasPrefix(p, rule.to+"/")) {
					t.Errorf("it depends on %s; %s", p, rule.why)
				}
			}
		})
	}
}

func TestTheListsOfDependenciesAreRight(t *testing.T) {
	binaries, err := filepath.Glob("../../cmd/*")
	if err != nil || len(binaries) == 0 {
		t.Fatalf("no binaries: %v", err)
	}
	for _, dir := range binaries {
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			var foreign []string
			for _, p := range list(t, "linux", "cmd/"+name) {
				if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") && !strings.HasPrefix(p, module) {
					foreign = append(foreign, p)
				}
			}
			slices.Sort(foreign)
			want := strings.Join(foreign, "\n") + "\n"
			file := filepath.Join(dir, "dependencies.txt")
			if *update {
				if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(file)
			if err != nil || string(got) != want {
				t.Errorf("%s is out of date (%v): see what has changed, then run: go test ./internal/deps -update", file, err)
			}
		})
	}
}

// list returns everything that a pattern's packages are built from.
func list(t *testing.T, goos, pattern string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "./"+pattern)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return strings.Fields(string(out))
}
