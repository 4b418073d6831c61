// Package script reads test scripts of WebAssembly, files with the suffix .wast, as wasm-tools converts them. It is for tests that run
// the scripts of the component model and of other engines, which are not in this repository.
package script

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Kind is what a command does.
type Kind string

const (
	Module               Kind = "module"            // a module or component, and an instance of it
	ModuleDefinition     Kind = "module_definition" // without an instance
	ModuleInstance       Kind = "module_instance"   // an instance of one that was defined before
	Register             Kind = "register"
	Invoke               Kind = "action"
	AssertReturn         Kind = "assert_return"
	AssertTrap           Kind = "assert_trap"
	AssertInvalid        Kind = "assert_invalid"
	AssertMalformed      Kind = "assert_malformed"
	AssertUnlinkable     Kind = "assert_unlinkable"
	AssertUninstantiable Kind = "assert_uninstantiable"
)

// Command is one command of a script.
type Command struct {
	Kind       Kind   `json:"type"`
	Line       int    `json:"line"`
	Name       string `json:"name"`        // of a module
	Module     string `json:"module"`      // of which ModuleInstance makes an instance
	Instance   string `json:"instance"`    // what that is called
	As         string `json:"as"`          // of Register
	File       string `json:"filename"`    // the module
	ModuleType string `json:"module_type"` // "binary", or "text", which only a parser of text can judge
	Text       string `json:"text"`        // how the failure may be described
	Action     Action `json:"action"`
	Expected   []Value
}

// Action calls an export.
type Action struct {
	Kind   string `json:"type"`   // "invoke" or "get"
	Module string `json:"module"` // empty: the last one
	Field  string `json:"field"`
	Args   []Value
}

// Value is an argument or a result. What Value holds depends on the type.
type Value struct {
	Type  string          `json:"type"` // "u32", "record"
	Value json.RawMessage `json:"value"`
}

// Script is a converted script.
type Script struct {
	Source   string
	Commands []Command
	dir      string
}

// Wasm reads the module or component of a command.
func (s *Script) Wasm(c *Command) ([]byte, error) { return os.ReadFile(filepath.Join(s.dir, c.File)) }

// Convert converts a script with wasm-tools. It leaves files in a directory, which should be the script's own.
func Convert(wasmTools, wast, dir string) (*Script, error) {
	out := filepath.Join(dir, "script.json")
	cmd := exec.Command(wasmTools, "json-from-wast", wast, "--output", out, "--wasm-dir", dir)
	// Some scripts write indices in an older form.
	cmd.Env = append(os.Environ(), "WAST_STRICT_COMPONENT_INDICES=0")
	cmd.Env = append(os.Environ(), "WAST_STRICT_COMPONENT_INDICES=0") // some scripts are in an older notation
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("convert %s: %w: %s", wast, err, msg)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	s := &Script{Source: wast, dir: dir}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("convert %s: %w", wast, err)
	}
	return s, nil
}

// WasmTools finds the program wasm-tools, in the path or where WASM_TOOLS says.
func WasmTools() (string, error) {
	if p := os.Getenv("WASM_TOOLS"); p != "" {
		return p, nil
	}
	return exec.LookPath("wasm-tools")
}
