package binary_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/internal/script"
)

func TestTestdataIsMadeOfItsSources(t *testing.T) {
	tools, err := script.WasmTools()
	if err != nil {
		t.Skipf("wasm-tools makes the components in testdata: %v; install it, or set WASM_TOOLS to where it is", err)
	}
	files, _ := filepath.Glob("testdata/*.wasm")
	for _, f := range files {
		made, err := exec.Command(tools, "parse", strings.TrimSuffix(f, ".wasm")+".wat").Output()
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if committed, err := os.ReadFile(f); err != nil || !bytes.Equal(made, committed) {
			t.Errorf("%s is out of date (%v); run: wasm-tools parse %s.wat -o %[1]s", f, err, strings.TrimSuffix(f, ".wasm"))
		}
	}
}
