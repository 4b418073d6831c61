package weave_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

const features = api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst |
	experimental.CoreFeaturesThreads

// world is an engine with the modules of one script in it: as they are, or woven.
type world struct {
	engine wazero.Runtime
	woven  weaving
	named  map[string]api.Module
	last   api.Module
	yields int
}

type weaving int

const (
	asItIs weaving = iota
	woven
	wovenFinely
	wovenLinked
	wovenKept
	wovenTick
	wovenTickFinely
)

var worlds = [...]string{asItIs: "as it is", woven: "woven", wovenFinely: "woven finely", wovenLinked: "woven and linked",
	wovenKept: "woven with as few exports as are asked for", wovenTick: "woven with ticks",
	wovenTickFinely: "woven with ticks, and as many as there are checks"}

func newWorld(t testing.TB, how weaving) *world {
	ctx := context.Background()
	w := &world{engine: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features)), woven: how,
		named: map[string]api.Module{}}
	t.Cleanup(func() { w.engine.Close(ctx) })
	var tick api.MutableGlobal
	_, err := w.engine.NewHostModuleBuilder(weave.HostModule).NewFunctionBuilder().WithFunc(func() {
		w.yields++
		if how == wovenTickFinely {
			tick.Set(tick.Get() + 1)
		}
	}).Export(weave.YieldName).Instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.engine.InstantiateWithConfig(ctx, weave.Host(), wazero.NewModuleConfig().WithName(weave.YieldModule))
	if err != nil {
		t.Fatal(err)
	}
	tick = m.ExportedGlobal(weave.TickName).(api.MutableGlobal)
	tick.Set(1)
	return w
}

func (w *world) instantiate(wasm []byte, name string) (api.Module, error) {
	ctx := context.Background()
	if w.woven != asItIs {
		read, err := weave.Read(wasm)
		if err != nil {
			return nil, err
		}
		switch w.woven {
		case wovenFinely:
			read.Fine()
		case wovenLinked: // to where they are linked anyway, all of them woven modules
			var links []weave.Link
			for _, im := range read.Imports {
				links = append(links, weave.Link{Module: im.Module, Name: im.Name})
			}
			if err := read.Relink(links); err != nil {
				return nil, err
			}
		case wovenKept: // the scripts call functions, and other modules see those with names only
			if name != "" {
				break
			}
			functions := map[string]bool{}
			for _, e := range read.Exports() {
				functions[e.Name] = e.Kind == weave.Function
			}
			read.Keep(functions)
		case wovenTick:
			read.Check = weave.Tick
		case wovenTickFinely:
			read.Check = weave.Tick
			read.Fine()
		}
		if wasm, err = read.Weave(); err != nil {
			return nil, err
		}
	}
	m, err := w.engine.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName(name).WithStartFunctions())
	if err != nil {
		return nil, err
	}
	if start := m.ExportedFunction(weave.StartName); w.woven != asItIs && start != nil {
		if _, err := start.Call(ctx); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// outcome is the first line of an error that a guest brought about: what follows is a stack, in which indices differ.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	lines := strings.SplitN(err.Error(), "\n", 4)
	_, reason, _ := strings.Cut(lines[0], "wasm error: ")
	if reason == "unreachable" && len(lines) > 2 {
		function, _, _ := strings.Cut(lines[2], "(")
		if trap := weave.Trap(function); trap != "" {
			reason = trap
		}
	}
	return "failed: " + reason
}

type script struct {
	Commands []struct {
		Type     string
		Line     int
		Name     string
		Filename string
		As       string
		Action   struct {
			Type, Module, Field string
			Args                []struct {
				Type     string
				LaneType string `json:"lane_type"`
				Value    json.RawMessage
			}
		}
		ModuleType string `json:"module_type"`
	}
}

// TestTheSpecificationsScripts runs the scripts of the WebAssembly specification several times, side by side: with the modules as they are,
// and with woven ones. Every call must have the same results or the same trap, and every module that is refused must be refused when woven.
func TestTheSpecificationsScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	dir := specification(t)
	files, err := filepath.Glob(filepath.Join(dir, "*", "testdata", "*.json"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d scripts in %s, %v", len(files), dir, err)
	}
	for _, file := range files {
		suite := filepath.Base(filepath.Dir(filepath.Dir(file)))
		switch suite {
		case "v1": // v2 has it all
			continue
		case "exception-handling", "tail-call", "typed-function-references": // not supported
			continue
		}
		t.Run(suite+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) { runScript(t, file, dir) })
	}
}

// specification returns where the module cache has the scripts, which wazero's module carries as its test data.
func specification(t *testing.T) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Skipf("no go command to find the scripts: %v", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("wazero's module carries no scripts: %v", err)
	}
	return dir
}

func runScript(t *testing.T, file, dir string) {
	var s script
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	var all []*world
	for how := range worlds {
		all = append(all, newWorld(t, weaving(how)))
	}
	spectest, err := os.ReadFile(filepath.Join(dir, "testdata", "spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		if _, err := w.instantiate(spectest, "spectest"); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range s.Commands {
		where := fmt.Sprintf("line %d, %s", c.Line, c.Type)
		var results [len(worlds)]string
		for k, w := range all {
			switch c.Type {
			case "module", "assert_invalid", "assert_malformed", "assert_unlinkable", "assert_uninstantiable":
				if c.ModuleType == "text" {
					continue
				}
				wasm, err := os.ReadFile(filepath.Join(filepath.Dir(file), c.Filename))
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				name := ""
				if i+1 < len(s.Commands) && s.Commands[i+1].Type == "register" {
					name = s.Commands[i+1].As
				}
				m, err := w.instantiate(wasm, name)
				results[k] = outcome(err)
				if results[k] != "ok" {
					results[k] = "refused" // by which of many reasons may differ
				}
				if c.Type == "module" {
					w.last = m
					w.named[c.Name] = m
				}
			case "action", "assert_return", "assert_trap", "assert_exhaustion":
				m := w.last
				if c.Action.Module != "" {
					m = w.named[c.Action.Module]
				}
				if m == nil || c.Action.Type != "invoke" {
					continue
				}
				var args []uint64
				for _, a := range c.Action.Args {
					args = append(args, bits(t, a.Type, a.LaneType, a.Value)...)
				}
				f := m.ExportedFunction(c.Action.Field)
				if f == nil {
					results[k] = "no such function"
					continue
				}
				values, err := f.Call(context.Background(), args...)
				if isReference(f) { // an address in this process
					values = nil
				}
				results[k] = fmt.Sprintf("%v %x", outcome(err), values)
			}
		}
		for how := woven; how <= wovenTickFinely; how++ {
			if results[how] != results[asItIs] {
				t.Errorf("%s: %s as it is, %s %s", where, results[asItIs], results[how], worlds[how])
			}
		}
	}
}

func isReference(f api.Function) bool {
	for _, r := range f.Definition().ResultTypes() {
		if r == 0x70 {
			return true
		}
	}
	return false
}

// bits returns a value of a script as wazero takes it.
func bits(t *testing.T, kind, lane string, value json.RawMessage) []uint64 {
	t.Helper()
	number := func(s string, size int) uint64 {
		switch s {
		case "null":
			return 0
		case "nan:canonical", "nan:arithmetic":
			return map[int]uint64{32: 0x7fc00000, 64: 0x7ff8000000000000}[size]
		}
		v, err := strconv.ParseUint(s, 10, size)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if kind == "v128" {
		var lanes []string
		if err := json.Unmarshal(value, &lanes); err != nil {
			t.Fatal(err)
		}
		size := 128 / len(lanes)
		out := make([]uint64, 2)
		for i, l := range lanes {
			out[i*size/64] |= number(l, size) << (i * size % 64)
		}
		return out
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		t.Fatal(err)
	}
	if kind == "externref" && s != "null" {
		return []uint64{number(s, 64) + 1}
	}
	if strings.HasSuffix(kind, "32") {
		return []uint64{number(s, 32)}
	}
	return []uint64{number(s, 64)}
}
