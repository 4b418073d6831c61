package validate_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/internal/encode"
	"github.com/mayfly-run/mayfly/runtime/component/internal/script"
	"github.com/mayfly-run/mayfly/runtime/component/validate"
)

// TestScripts checks what the scripts of the specification, and of wasmtime, say about which components are valid.
//
// MAYFLY_COMPONENT_SPEC is a list of directories, separated by colons: checkouts of the repositories, or parts of them. Where mayfly
// differs, testdata/known-failures.txt says why.
func TestScripts(t *testing.T) {
	dirs := os.Getenv("MAYFLY_COMPONENT_SPEC")
	if dirs == "" {
		t.Skip("MAYFLY_COMPONENT_SPEC is not set: it lists directories with test scripts, such as test of the component-model repository")
	}
	tools, err := script.WasmTools()
	if err != nil {
		t.Skipf("wasm-tools converts the scripts: %v; install it, or set WASM_TOOLS to where it is", err)
	}
	known := knownFailures(t)
	var total counts
	for _, dir := range filepath.SplitList(dirs) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".wast") {
				rel, _ := filepath.Rel(dir, path)
				t.Run(rel, func(t *testing.T) { total.add(judge(t, tools, path, known)) })
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("all scripts: %+v", total)
}

// counts are how many components were judged, and how.
type counts struct{ Right, Unsupported, Known, Wrong int }

func (c *counts) add(o counts) {
	c.Right += o.Right
	c.Unsupported += o.Unsupported
	c.Known += o.Known
	c.Wrong += o.Wrong
}

func judge(t *testing.T, tools, path string, known map[string]string) (n counts) {
	s, err := script.Convert(tools, path, t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	for i := range s.Commands {
		c := &s.Commands[i]
		var valid bool
		switch c.Kind {
		case script.Module, script.ModuleDefinition, script.AssertUnlinkable, script.AssertUninstantiable:
			valid = true
		case script.AssertInvalid, script.AssertMalformed:
		default:
			continue
		}
		if c.ModuleType != "binary" {
			continue
		}
		wasm, err := s.Wasm(c)
		if err != nil {
			t.Fatal(err)
		}
		if valid && !bytes.HasPrefix(wasm, []byte(encode.Preamble)) {
			continue // a core module
		}
		err = verdict(wasm)
		// The last directory and the file are enough to know a script by.
		place := fmt.Sprintf("%s/%s:%d", filepath.Base(filepath.Dir(path)), filepath.Base(path), c.Line)
		reason, expected := known[place]
		switch {
		case errors.Is(err, binary.ErrUnsupported):
			n.Unsupported++
			t.Logf("line %d: %s: %v", c.Line, c.Kind, err)
		case expected && valid != (err == nil):
			n.Known++
			t.Logf("line %d: known: %s", c.Line, reason)
		case expected:
			t.Errorf("%s: it is right now: take it out of testdata/known-failures.txt", place)
		case valid == (err == nil):
			n.Right++
			if testing.Verbose() && err != nil {
				t.Logf("line %d: %q: %v", c.Line, c.Text, err)
			}
		default:
			n.Wrong++
			t.Errorf("line %d: %s %q: %v", c.Line, c.Kind, c.Text, err)
		}
	}
	t.Logf("%+v", n)
	return n
}

// knownFailures reads where a script and mayfly differ, and why.
func knownFailures(t *testing.T) map[string]string {
	b, err := os.ReadFile(filepath.Join("testdata", "known-failures.txt"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if place, reason, ok := strings.Cut(strings.TrimSpace(line), " "); ok && place != "#" {
			all[place] = reason
		}
	}
	return all
}

// verdict says what is wrong with a component.
func verdict(wasm []byte) error {
	c, err := binary.Decode(wasm)
	if err == nil {
		_, err = validate.Validate(c)
	}
	return err
}
