package component

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/internal/script"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/wave"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// TestScripts runs the scripts of the specification, and of wasmtime: what is to return, trap, and not link.
//
// MAYFLY_COMPONENT_SPEC is a list of directories, separated by colons: checkouts of the repositories, or parts of them.
func TestScripts(t *testing.T) {
	dirs := os.Getenv("MAYFLY_COMPONENT_SPEC")
	if dirs == "" {
		t.Skip("MAYFLY_COMPONENT_SPEC is not set: it lists directories with test scripts, such as test of the component-model repository")
	}
	tools, err := script.WasmTools()
	if err != nil {
		t.Skipf("wasm-tools converts the scripts: %v; install it, or set WASM_TOOLS to where it is", err)
	}
	total := tally{}
	for _, dir := range filepath.SplitList(dirs) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".wast") {
				rel, _ := filepath.Rel(dir, path)
				t.Run(rel, func(t *testing.T) { total.add(runScript(t, tools, path)) })
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("all scripts: %v", total)
}

// known failures, and why.
var known = map[string]string{
	"modules.wast:485": "it imports from a component that uses exceptions, which the engine does not have",
}

// tally counts by kind of command how many passed, could not be run because something is not supported, and failed.
type tally map[script.Kind]*[3]int

const (
	passed = iota
	unsupported
	failed
)

func (n tally) count(k script.Kind, outcome int) {
	if n[k] == nil {
		n[k] = new([3]int)
	}
	n[k][outcome]++
}

func (n tally) add(o tally) {
	for k, c := range o {
		for outcome, times := range c {
			for range times {
				n.count(k, outcome)
			}
		}
	}
}

func (n tally) String() string {
	var b strings.Builder
	for _, k := range []script.Kind{script.Module, script.ModuleDefinition, script.ModuleInstance, script.Invoke, script.AssertReturn, script.AssertTrap,
		script.AssertUnlinkable, script.AssertUninstantiable} {
		if c := n[k]; c != nil {
			fmt.Fprintf(&b, "%s %d passed, %d unsupported, %d failed; ", k, c[passed], c[unsupported], c[failed])
		}
	}
	return strings.TrimSuffix(b.String(), "; ")
}

// runner runs one script.
type runner struct {
	t           *testing.T
	runtime     *instance.Runtime
	script      *script.Script
	host        *Host
	definitions map[string][]byte
	instances   map[string]*scriptInstance
	last        *scriptInstance
}

type loadedScript struct {
	component *Component
	typ       *types.Component
	all       *inst // its exports, modules and types too
	err       error
}

type scriptInstance struct {
	*loadedScript
	instance *Instance
	err      error // why there is none
}

func runScript(t *testing.T, tools, path string) tally {
	s, err := script.Convert(tools, path, t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	ctx := context.Background()
	rt, err := instance.NewRuntime(ctx, instance.Limits{Memory: 4 << 30})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close(ctx)
	r := &runner{t: t, runtime: rt, script: s, host: scriptHost(t), definitions: map[string][]byte{}, instances: map[string]*scriptInstance{}}
	n := tally{}
	for i := range s.Commands {
		c := &s.Commands[i]
		skipped, err := r.run(c)
		switch {
		case skipped:
		case known[fmt.Sprintf("%s:%d", filepath.Base(path), c.Line)] != "":
			if err == nil {
				t.Errorf("line %d: it passes: it need not be among the known failures", c.Line)
			}
			n.count(c.Kind, failed)
		case err == nil:
			n.count(c.Kind, passed)
		case beyond(err):
			n.count(c.Kind, unsupported)
			t.Logf("line %d: %s: %v", c.Line, c.Kind, err)
		default:
			n.count(c.Kind, failed)
			t.Errorf("line %d: %s %q: %v", c.Line, c.Kind, c.Text, err)
		}
	}
	t.Logf("%v", n)
	return n
}

// beyond reports that a script is about something that mayfly or its engine does not have, such as exceptions.
func beyond(err error) bool {
	return err != nil && (errors.Is(err, ErrUnsupported) || strings.Contains(err.Error(), "not supported"))
}

var errDidNot = errors.New("it did not")

// run runs one command. It returns an error when that did not go as it must.
func (r *runner) run(c *script.Command) (skipped bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	switch c.Kind {
	case script.Module, script.ModuleDefinition, script.AssertUnlinkable, script.AssertUninstantiable:
		if c.ModuleType != "binary" {
			return true, nil
		}
		wasm, err := r.script.Wasm(c)
		if err != nil {
			return false, err
		}
		if !Is(wasm) {
			return true, nil
		}
		if c.Kind == script.ModuleDefinition {
			_, err := Read(wasm)
			r.definitions[c.Name] = wasm
			return false, err
		}
		l := r.load(ctx, wasm)
		switch {
		case beyond(l.err):
			if c.Kind == script.Module {
				r.last = &scriptInstance{err: l.err}
			}
			return false, l.err
		case c.Kind == script.AssertUnlinkable:
			if l.err == nil {
				return false, errDidNot
			}
			r.t.Logf("line %d: %q: %v", c.Line, c.Text, l.err)
			return false, nil
		}
		i := r.instantiate(ctx, l)
		if c.Kind == script.AssertUninstantiable {
			if i.err == nil {
				return false, errDidNot
			}
			r.t.Logf("line %d: %q: %v", c.Line, c.Text, i.err)
			return false, nil
		}
		r.last, r.instances[c.Name] = i, i
		if c.Name != "" && i.err == nil {
			r.provide(c.Name, l)
		}
		return false, i.err
	case script.ModuleInstance:
		wasm := r.definitions[c.Module]
		if wasm == nil {
			return true, nil // a core module
		}
		i := r.instantiate(ctx, r.load(ctx, wasm))
		r.last, r.instances[c.Instance] = i, i
		return false, i.err
	case script.Invoke:
		_, _, err := r.invoke(ctx, &c.Action)
		return false, err
	case script.AssertReturn:
		typ, v, err := r.invoke(ctx, &c.Action)
		if err != nil {
			return false, err
		}
		return false, expect(typ.Result, v, c.Expected)
	case script.AssertTrap:
		_, _, err := r.invoke(ctx, &c.Action)
		var trap *instance.TrapError
		switch {
		case err == nil:
			return false, errDidNot
		case errors.As(err, &trap) || errors.Is(err, errEnded):
			r.t.Logf("line %d: %q: %v", c.Line, c.Text, err)
			return false, nil
		}
		return false, err
	}
	return true, nil
}

func (r *runner) load(ctx context.Context, wasm []byte) *loadedScript {
	d, err := Read(wasm)
	if err != nil {
		return &loadedScript{err: err}
	}
	if err := r.host.Check(d); err != nil {
		return &loadedScript{err: err}
	}
	l := newLinker(r.host)
	all, err := l.instantiate(&closure{component: d.binary}, nil, 0)
	if err != nil {
		return &loadedScript{err: err}
	}
	c, err := Load(ctx, r.runtime, d, r.host)
	return &loadedScript{component: c, typ: d.Type(), all: all, err: err}
}

func (r *runner) instantiate(ctx context.Context, l *loadedScript) *scriptInstance {
	if l.err != nil {
		return &scriptInstance{err: l.err}
	}
	i, err := l.component.Instantiate(ctx, nil)
	if err == nil {
		r.t.Cleanup(func() { _ = i.Close() })
	}
	return &scriptInstance{loadedScript: l, instance: i, err: err}
}

// provide lets components that come import the modules and resources that a named one exports.
func (r *runner) provide(name string, l *loadedScript) {
	kind := &types.Instance{}
	in := Interface{Modules: map[string][]byte{}}
	for _, e := range l.typ.Exports {
		switch {
		case e.Sort == types.SortModule:
			in.Modules[e.Name] = l.all.items[e.Name].module.definition.Bytes
		case e.Sort == types.SortType && e.Type.Resource != nil:
		default:
			continue
		}
		kind.Exports = append(kind.Exports, e)
	}
	delete(r.host.interfaces, track(name))
	if err := r.host.Provide(name, kind, in); err != nil {
		r.t.Fatal(err)
	}
}

func (r *runner) invoke(ctx context.Context, a *script.Action) (*types.Func, Value, error) {
	i := r.last
	if a.Module != "" {
		i = r.instances[a.Module]
	}
	if i == nil {
		return nil, Value{}, errors.New("there is no such instance")
	}
	if i.err != nil {
		return nil, Value{}, i.err
	}
	f, err := i.component.Function("", a.Field)
	if err != nil {
		return nil, Value{}, err
	}
	args := make([]Value, len(a.Args))
	for n := range args {
		if args[n], err = scriptValue(f.Type().Params[n].Type, a.Args[n].Value); err != nil {
			return nil, Value{}, err
		}
	}
	v, err := i.instance.Call(ctx, f, args...)
	return f.Type(), v, err
}

func expect(t *types.Type, got Value, want []script.Value) error {
	if len(want) == 0 {
		return nil
	}
	if t == nil {
		return fmt.Errorf("it returned nothing")
	}
	w, err := scriptValue(t, want[0].Value)
	if err != nil {
		return err
	}
	if a, b := wave.Format(t, got), wave.Format(t, w); a != b {
		return fmt.Errorf("it returned %s, want %s", a, b)
	}
	return nil
}

// scriptValue makes a value of what wasm-tools writes for one.
func scriptValue(t *types.Type, raw json.RawMessage) (Value, error) {
	var list []json.RawMessage
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		text = string(raw)
	}
	inner := func(t *types.Type, raw json.RawMessage) (Value, error) {
		var v script.Value
		if err := json.Unmarshal(raw, &v); err != nil {
			return Value{}, err
		}
		return scriptValue(t, v.Value)
	}
	switch t.Kind {
	case types.Bool:
		return abi.Bool(text == "true"), nil
	case types.S8, types.S16, types.S32, types.S64:
		n, err := strconv.ParseInt(text, 10, 64)
		return map[types.Kind]Value{types.S8: abi.S8(int8(n)), types.S16: abi.S16(int16(n)), types.S32: abi.S32(int32(n)), types.S64: abi.S64(n)}[t.Kind], err
	case types.U8, types.U16, types.U32, types.U64, types.F32, types.F64:
		n, err := strconv.ParseUint(text, 10, 64)
		return abi.U64(n), err // floats are their bits
	case types.Char:
		return abi.Char([]rune(text)[0]), nil
	case types.String:
		return abi.String(text), nil
	case types.List, types.Tuple, types.Record:
		if err := json.Unmarshal(raw, &list); err != nil {
			return Value{}, err
		}
		values := make([]Value, len(list))
		bytes := make([]byte, len(list))
		for n := range list {
			elem, part := t.Elem, list[n]
			if t.Kind != types.List {
				elem = t.Fields[n].Type
			}
			if t.Kind == types.Record {
				var field []json.RawMessage
				if err := json.Unmarshal(part, &field); err != nil {
					return Value{}, err
				}
				part = field[1]
			}
			v, err := inner(elem, part)
			if err != nil {
				return Value{}, err
			}
			values[n], bytes[n] = v, v.U8()
		}
		if t.Kind == types.List && t.Elem.Kind == types.U8 && t.Length == 0 {
			return abi.Bytes(bytes), nil
		}
		return abi.List(values...), nil
	case types.Enum:
		return abi.Enum(labelIndex(t.Labels, text)), nil
	case types.Flags:
		var labels []string
		err := json.Unmarshal(raw, &labels)
		bits := uint64(0)
		for _, l := range labels {
			bits |= 1 << labelIndex(t.Labels, l)
		}
		return abi.Flags(bits), err
	case types.Option:
		if string(raw) == "null" || len(raw) == 0 {
			return abi.None(), nil
		}
		v, err := inner(t.Elem, raw)
		return abi.Some(v), err
	case types.Result:
		var r map[string]json.RawMessage
		if err := json.Unmarshal(raw, &r); err != nil {
			return Value{}, err
		}
		number, payload, typ := 0, r["Ok"], t.OK
		if e, isErr := r["Err"]; isErr {
			number, payload, typ = 1, e, t.Err
		}
		if typ == nil {
			return abi.Enum(number), nil
		}
		v, err := inner(typ, payload)
		return abi.Variant(number, v), err
	case types.Variant:
		var c struct {
			Case    string          `json:"case"`
			Payload json.RawMessage `json:"payload"`
		}
		if err := json.Unmarshal(raw, &c); err != nil {
			return Value{}, err
		}
		for n, k := range t.Cases {
			if k.Name != c.Case {
				continue
			}
			if k.Type == nil {
				return abi.Enum(n), nil
			}
			v, err := inner(k.Type, c.Payload)
			return abi.Variant(n, v), err
		}
	}
	return Value{}, fmt.Errorf("a %v %s", t.Kind, raw)
}

func labelIndex(labels []string, l string) int {
	for n := range labels {
		if labels[n] == l {
			return n
		}
	}
	return -1
}
