package validate_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/internal/script"
)

// features are what mayfly has and wasm-tools has not by default, and the other way around.
const features = "--features=cm-fixed-length-lists,cm-canon-names"

// TestCorpus changes real components and compares the verdict on them with that of wasm-tools.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("MAYFLY_COMPONENT_CORPUS")
	if dir == "" {
		t.Skip("MAYFLY_COMPONENT_CORPUS is not set: it is a directory with components")
	}
	tools, err := script.WasmTools()
	if err != nil {
		t.Skipf("wasm-tools gives the other opinion: %v; install it, or set WASM_TOOLS to where it is", err)
	}
	changes := 300
	if n, err := strconv.Atoi(os.Getenv("MAYFLY_COMPONENT_CHANGES")); err == nil {
		changes = n
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.wasm"))
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			wasm, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := binary.Decode(wasm)
			if err != nil {
				t.Skip(err)
			}
			if err := verdict(wasm); err != nil {
				t.Errorf("unchanged: %v", err)
			}
			compare(t, tools, wasm, c, changes)
		})
	}
}

// compare compares the verdicts on changed forms of a component. What belongs to core modules is not changed.
func compare(t *testing.T, tools string, wasm []byte, c *binary.Component, changes int) {
	small, fixed := skeleton(wasm, c)
	if err := verdict(small); err != nil {
		t.Fatalf("with the code of its core modules left out: %v", err)
	}
	rng := rand.New(rand.NewPCG(1, uint64(len(wasm))))
	name := filepath.Join(t.TempDir(), "changed.wasm")
	agreed := map[bool]int{}
	for range changes {
		b := append([]byte(nil), small...)
		at := rng.IntN(len(b))
		for fixed(at) {
			at = rng.IntN(len(b))
		}
		was := b[at]
		b[at] = [...]byte{was + 1, was - 1, was ^ 1<<rng.IntN(8), byte(rng.IntN(256)), byte(rng.IntN(8)), 0}[rng.IntN(6)]
		if b[at] == was {
			continue
		}
		ours := verdict(b)
		if errors.Is(ours, binary.ErrUnsupported) {
			continue
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(tools, "validate", features, name).CombinedOutput()
		if (err == nil) != (ours == nil) {
			t.Errorf("with byte %#x changed from %#02x to %#02x: mayfly: %v; wasm-tools: %s", at, was, b[at], ours, out)
			if keep := os.Getenv("MAYFLY_COMPONENT_KEEP"); keep != "" {
				_ = os.WriteFile(filepath.Join(keep, filepath.Base(t.Name())+"."+strconv.Itoa(at)+".wasm"), b, 0o600)
			}
			continue
		}
		agreed[err == nil]++
	}
	t.Logf("agreed on %d valid and %d invalid changes of %d bytes", agreed[true], agreed[false], len(small))
}
