package validate_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/internal/encode"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/validate"
)

// shortcuts for what the tests write most.
var (
	cat  = encode.Cat
	name = encode.Name
	raw  = encode.Bytes
	vec  = encode.Vec
)

func typ(t []byte) []byte    { return encode.Section(encode.Type, t) }
func alias(a []byte) []byte  { return encode.Section(encode.Alias, a) }
func canon(c ...byte) []byte { return encode.Section(encode.Canon, c) }
func nested(sections ...[]byte) []byte {
	return encode.Raw(encode.Nested, encode.Component(sections...))
}

// imports and exports name a type, or a thing, by sort and index.
func imports(n string, typ ...byte) []byte {
	return encode.Section(encode.Import, cat(encode.Extern(n), typ))
}
func exports(n string, sortIndex ...byte) []byte {
	return encode.Section(encode.Export, cat(encode.Extern(n), sortIndex, raw(0)))
}

// Of the types of values.
func record(fields ...[]byte) []byte { return cat(raw(0x72), vec(fields...)) }
func flags(labels ...string) []byte {
	var all [][]byte
	for _, l := range labels {
		all = append(all, name(l))
	}
	return cat(raw(0x6e), vec(all...))
}
func instanceType(declarations ...[]byte) []byte  { return cat(raw(0x42), vec(declarations...)) }
func componentType(declarations ...[]byte) []byte { return cat(raw(0x41), vec(declarations...)) }
func exportDecl(n string, typ ...byte) []byte     { return cat(raw(4), encode.Extern(n), typ) }

const (
	u8, str = 0x7d, 0x73
	// sorts
	fn, ty, comp, inst = 1, 3, 4, 5
)

var (
	resource = raw(0x3f, 0x7f, 0)
	fresh    = raw(ty, 1) // the type of an import or export that is some resource type
	noFunc   = encode.Func(nil)
	// module has a memory "m", functions "f" (no type), "i" (i32) and "realloc".
	module = encode.Raw(encode.CoreModule, cat([]byte("\x00asm\x01\x00\x00\x00"),
		encode.Section(1, raw(0x60, 0, 0), raw(0x60, 1, 0x7f, 0), raw(0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f)),
		encode.Section(3, raw(0), raw(1), raw(2)),
		encode.Section(5, raw(0, 1)),
		encode.Section(7, cat(name("f"), raw(0, 0)), cat(name("i"), raw(0, 1)), cat(name("realloc"), raw(0, 2)), cat(name("m"), raw(2, 0))),
		encode.Section(10, raw(3, 0, 0, 0x0b), raw(3, 0, 0, 0x0b), raw(3, 0, 0, 0x0b))))
	// code has an instance of module; core functions 0 to 2 and memory 0 are what it exports.
	code = cat(module, encode.Section(encode.CoreInstance, raw(0, 0, 0)), encode.Section(encode.Alias,
		cat(raw(0, 0, 1, 0), name("f")), cat(raw(0, 0, 1, 0), name("i")), cat(raw(0, 0, 1, 0), name("realloc")), cat(raw(0, 2, 1, 0), name("m"))))
)

func TestInvalidComponents(t *testing.T) {
	for _, tt := range []struct {
		name     string
		sections [][]byte
		reason   string
	}{
		// Index spaces.
		{"a type that comes later", [][]byte{typ(raw(0x70, 0))}, "type 0: there are 0 so far"},
		{"an instance of a component that is not there", [][]byte{encode.Section(encode.Instance, raw(0, 3, 0))}, "component 3"},
		{"a core instance of a module that is not there", [][]byte{encode.Section(encode.CoreInstance, raw(0, 3, 0))}, "core module 3"},
		{"an alias of a core function of no instance", [][]byte{alias(cat(raw(0, 0, 1, 0), name("f")))}, "core instance 0"},
		{"an alias of an export that is not there", [][]byte{code, alias(cat(raw(0, 0, 1, 0), name("g")))}, `no export "g"`},
		{"an alias of an export of another sort", [][]byte{code, alias(cat(raw(0, 0, 1, 0), name("m")))}, "is a core memory and not a core function"},
		{"an export of an instance that is not there", [][]byte{exports("i", inst, 0)}, "instance 0"},
		{"an outer alias that goes too far", [][]byte{alias(raw(3, 2, 1, 0))}, "not that many around it"},
		{"a cyclic outer alias", [][]byte{alias(raw(3, 2, 0, 0))}, "type 0: there are 0 so far"},
		{"an outer alias of a component by itself", [][]byte{nested(alias(raw(4, 2, 1, 0)))}, "component 0: there are 0 so far"},
		{"an outer alias of a resource type", [][]byte{typ(resource), nested(alias(raw(3, 2, 1, 0)))}, "resource type of another component"},
		{"an outer alias of a handle", [][]byte{typ(resource), typ(raw(0x69, 0)), nested(alias(raw(3, 2, 1, 1)))}, "resource type of another component"},
		{"an alias of a function in a type", [][]byte{typ(instanceType(cat(raw(1), noFunc),
			cat(raw(1), instanceType(cat(raw(1), noFunc), exportDecl("f", fn, 0))), exportDecl("i", inst, 1), cat(raw(2, fn, 0, 0), name("f"))))}, "not of a function"},

		// Types of values.
		{"a record without fields", [][]byte{typ(record())}, "at least one field"},
		{"a record with a field twice", [][]byte{typ(record(encode.Field("a", u8), encode.Field("A", u8)))}, `"A" conflicts with "a"`},
		{"a field that is not in kebab case", [][]byte{typ(record(encode.Field("1a", u8)))}, "kebab case"},
		{"a variant without cases", [][]byte{typ(raw(0x71, 0))}, "at least one case"},
		{"a tuple of nothing", [][]byte{typ(raw(0x6f, 0))}, "at least one"},
		{"no flags", [][]byte{typ(flags())}, "at least one flag"},
		{"33 flags", [][]byte{typ(flags(labels(33)...))}, "at most 32"},
		{"an empty enum", [][]byte{typ(raw(0x6d, 0))}, "at least one case"},
		{"a list of functions", [][]byte{typ(noFunc), typ(raw(0x70, 0))}, "not the type of a value"},
		{"a list of no elements", [][]byte{typ(raw(0x67, u8, 0))}, "more than zero"},
		{"a list of 256 MiB", [][]byte{typ(cat(raw(0x67, u8), encode.U32(1<<28)))}, "must be less than 268435456"},
		{"a handle of something that is no resource", [][]byte{typ(raw(u8)), typ(raw(0x69, 0))}, "not a resource type"},
		{"a function that returns a borrowed handle", [][]byte{typ(resource), typ(raw(0x68, 0)), typ(raw(0x70, 1)), typ(encode.Func(raw(2)))}, "cannot hold a borrowed handle"},
		{"a parameter twice", [][]byte{typ(encode.Func(nil, encode.Field("a", u8), encode.Field("a", u8)))}, "conflicts"},

		// Resource types.
		{"a resource type in a type", [][]byte{typ(instanceType(cat(raw(1), resource)))}, "in a component only"},
		{"a resource represented by a float", [][]byte{typ(raw(0x3f, 0x7d, 0))}, "represented by i32"},
		{"a destructor of another type", [][]byte{code, typ(raw(0x3f, 0x7f, 1, 0))}, "has the type (func) and not"},
		{"resource.new of an imported type", [][]byte{imports("r", fresh...), canon(2, 0)}, "not a resource type that this component defines"},
		{"resource.drop of a record", [][]byte{typ(record(encode.Field("a", u8))), canon(3, 0)}, "not a resource type"},

		// Lift and lower.
		{"a lift of another type", [][]byte{code, typ(noFunc), canon(0, 0, 1, 0, 0)}, "has the type (func (param i32)), where the type of the function asks for (func)"},
		{"a lift to something that is no function", [][]byte{code, typ(raw(u8)), canon(0, 0, 0, 0, 0)}, "not the type of a function"},
		{"a lift without the memory it needs", [][]byte{code, typ(encode.Func(raw(str))), canon(0, 0, 0, 0, 0)}, "memory is missing"},
		{"a lift without realloc", [][]byte{code, typ(encode.Func(nil, encode.Field("s", str))), canon(0, 0, 0, 1, 3, 0, 0)}, "realloc is missing"},
		{"a realloc of another type", [][]byte{code, typ(noFunc), canon(0, 0, 0, 2, 3, 0, 4, 1, 0)}, "realloc: core function 1 has the type"},
		{"a realloc without memory", [][]byte{code, typ(noFunc), canon(0, 0, 0, 1, 4, 2, 0)}, "without memory"},
		{"a post-return of another type", [][]byte{code, typ(noFunc), canon(0, 0, 0, 1, 5, 1, 0)}, "post-return"},
		{"a lower with post-return", [][]byte{code, typ(noFunc), imports("f", fn, 0), canon(1, 0, 0, 1, 5, 0)}, "for a lift only"},
		{"a lower of a function that is not there", [][]byte{canon(1, 0, 0, 0)}, "function 0"},
		{"a lower without the memory it needs", [][]byte{typ(encode.Func(nil, encode.Field("s", str))), imports("f", fn, 0), canon(1, 0, 0, 0)}, "memory is missing"},
		{"a memory that is not there", [][]byte{code, typ(noFunc), canon(0, 0, 0, 1, 3, 1, 0)}, "core memory 1"},

		// Names.
		{"a name that is not in kebab case", [][]byte{typ(noFunc), imports("a_b", fn, 0)}, "kebab case"},
		{"an interface of an upper case package", [][]byte{typ(noFunc), imports("a:B/c", fn, 0)}, "lower case"},
		{"a package without an interface", [][]byte{typ(noFunc), imports("a:b", fn, 0)}, "no interface"},
		{"a version that is none", [][]byte{typ(noFunc), imports("a:b/c@1.2", fn, 0)}, "not a semantic version"},
		{"a version with superfluous zeroes", [][]byte{typ(noFunc), imports("a:b/c@0.2.03", fn, 0)}, "not a semantic version"},
		{"two imports of a name", [][]byte{typ(noFunc), imports("a", fn, 0), imports("A", fn, 0)}, `conflicts with the import "a"`},
		{"a method with the name of its resource", [][]byte{imports("a", fresh...), typ(raw(0x68, 0)), typ(encode.Func(nil, encode.Field("self", 1))), imports("[method]a.a", fn, 2)}, "conflicts"},
		{"a constructor that returns nothing", [][]byte{imports("a", fresh...), typ(noFunc), imports("[constructor]a", fn, 1)}, "must return an own handle"},
		{"a method of no resource", [][]byte{typ(noFunc), imports("[method]a.b", fn, 0)}, `first parameter "self"`},
		{"a method of another resource", [][]byte{imports("a", fresh...), typ(raw(0x68, 0)), typ(encode.Func(nil, encode.Field("self", 1))), imports("[method]b.c", fn, 2)}, `imported as "b"`},
		{"a static function of no resource", [][]byte{typ(noFunc), imports("[static]a.b", fn, 0)}, `no resource type "a"`},
		{"a method that is an instance", [][]byte{typ(instanceType()), imports("[method]a.b", inst, 0)}, "only a function"},
		{"a function that implements an interface", [][]byte{typ(noFunc), encode.Section(encode.Import, cat(raw(2), name("x"), vec(cat(raw(0), name("a:b/c"))), raw(fn, 0)))}, "only instances"},

		// Imports and exports.
		{"an import of a type as a function", [][]byte{typ(raw(u8)), imports("f", fn, 0)}, "not the type of a function"},
		{"an export that refers to a record without a name", [][]byte{typ(record(encode.Field("a", u8))), typ(encode.Func(nil, encode.Field("r", 0))),
			imports("f", fn, 1)}, "import that type before it"},
		{"an export that refers to a resource without a name", [][]byte{code, typ(resource), typ(raw(0x69, 0)), typ(encode.Func(nil, encode.Field("r", 1))),
			canon(0, 0, 1, 0, 2), exports("f", fn, 0)}, "export that type before it"},
		{"an import that refers to an exported type", [][]byte{typ(resource), exports("r", ty, 0), typ(raw(0x69, 1)), typ(encode.Func(nil, encode.Field("r", 2))),
			imports("f", fn, 3)}, "import that type before it"},
		{"an export with a type that it does not have", [][]byte{typ(noFunc), imports("f", fn, 0), typ(encode.Func(raw(u8))),
			encode.Section(encode.Export, cat(encode.Extern("f"), raw(fn, 0, 1, fn, 1)))}, "it does not have the type given for it"},

		// Instances.
		{"an instance without an import", [][]byte{nested(typ(noFunc), imports("f", fn, 0)), encode.Section(encode.Instance, raw(0, 0, 0))}, `imports "f", and nothing is given`},
		{"an instance given another sort", [][]byte{nested(typ(noFunc), imports("f", fn, 0)), typ(raw(u8)),
			encode.Section(encode.Instance, cat(raw(0, 0), vec(cat(name("f"), raw(ty, 0)))))}, "wanted function, found type"},
		{"an instance given another type", [][]byte{nested(typ(noFunc), imports("f", fn, 0)), typ(encode.Func(raw(u8))), imports("f", fn, 0),
			encode.Section(encode.Instance, cat(raw(0, 0), vec(cat(name("f"), raw(fn, 0)))))}, "result: wanted no type, found u8"},
		{"an instance given an argument twice", [][]byte{nested(), typ(raw(u8)),
			encode.Section(encode.Instance, cat(raw(0, 0), vec(cat(name("t"), raw(ty, 0)), cat(name("t"), raw(ty, 0)))))}, "given twice"},
		{"an instance given two resource types for one", [][]byte{
			nested(imports("r", fresh...), imports("s", ty, 0, 0)), typ(resource), typ(resource),
			encode.Section(encode.Instance, cat(raw(0, 0), vec(cat(name("r"), raw(ty, 0)), cat(name("s"), raw(ty, 1)))))}, "not the one that is wanted"},
		{"an instance of exports of one name", [][]byte{typ(raw(u8)), encode.Section(encode.Instance, cat(raw(1), vec(cat(encode.Extern("t"), raw(ty, 0)), cat(encode.Extern("T"), raw(ty, 0)))))}, "conflicts"},
		{"a core instance of exports of one name", [][]byte{code, encode.Section(encode.CoreInstance, cat(raw(1), vec(cat(name("f"), raw(0, 0)), cat(name("f"), raw(0, 0)))))}, "given twice"},

		// Types of core modules.
		{"a core module type with an import twice", [][]byte{encode.Section(encode.CoreType, cat(raw(0x50), vec(
			raw(1, 0x60, 0, 0), cat(raw(0), name("a"), name("b"), raw(0, 0)), cat(raw(0), name("a"), name("b"), raw(0, 0)))))}, "twice"},
		{"a core module type with a function of no type", [][]byte{encode.Section(encode.CoreType, cat(raw(0x50), vec(cat(raw(3), name("f"), raw(0, 0)))))}, "core type 0"},
		{"a core module type with a memory of 8 GiB", [][]byte{encode.Section(encode.CoreType, cat(raw(0x50), vec(cat(raw(3), name("m"), raw(2, 0), encode.U32(1<<17)))))}, "at most 65536"},
		{"an import of a core module of the type of a function", [][]byte{encode.Section(encode.CoreType, raw(0x60, 0, 0)), imports("m", 0, 0x11, 0)}, "not the type of a module"},
		{"a core module that is broken", [][]byte{encode.Raw(encode.CoreModule, []byte("\x00asm\x01\x00\x00\x00\x63"))}, "core module: section 99"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := failure(t, encode.Component(tt.sections...))
			if !strings.Contains(e.Reason, tt.reason) || e.Limit {
				t.Errorf("got %v, want %q", e, tt.reason)
			}
		})
	}
}

func labels(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("x%d", i))
	}
	return all
}

func failure(t *testing.T, wasm []byte) *validate.Error {
	t.Helper()
	c, err := binary.Decode(wasm)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	typ, err := validate.Validate(c)
	var e *validate.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %+v and error %v", typ, err)
	}
	if e.Offset < 8 || e.Offset > len(wasm) {
		t.Errorf("offset %d of %d", e.Offset, len(wasm))
	}
	return e
}

func TestTypesThatGrowExponentially(t *testing.T) {
	var tuples, records, instances, chain [][]byte
	tuples = append(tuples, typ(raw(0x6f, 2, u8, u8)))
	for i := range 40 {
		tuples = append(tuples, typ(raw(0x6f, 2, byte(i), byte(i))))
	}
	records = append(records, typ(raw(0x70, u8)))
	for i := range 99 {
		records = append(records, typ(raw(0x70, byte(i)|0x80, 0))) // in two bytes, since the second bit is the sign
	}
	// Each component makes two instances of the one before.
	instances = append(instances, nested())
	for i := range 30 {
		instances = append(instances, nested(alias(raw(4, 2, 1, byte(i))), encode.Section(encode.Instance, raw(0, 0, 0), raw(0, 0, 0))))
	}
	// Each type of an instance has two exports of the one before.
	chain = append(chain, typ(instanceType(exportDecl("r", fresh...))))
	for i := range 30 {
		chain = append(chain, typ(instanceType(raw(2, 3, 2, 1, byte(i)), exportDecl("a", inst, 0), exportDecl("b", inst, 0))))
	}
	for _, tt := range []struct {
		name     string
		sections [][]byte
		reason   string
	}{
		{"tuples of tuples", tuples, "more than 1000000 parts"},
		{"lists of lists", records, "more than 100 deep"},
		{"instances of instances", instances, "more than 10000 instances"},
		{"types of instances of instances", chain, "more than 16384 resource types"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := failure(t, encode.Component(tt.sections...))
			if !e.Limit || !strings.Contains(e.Reason, tt.reason) {
				t.Errorf("got %v, want %q", e, tt.reason)
			}
		})
	}
}

// TestWorkIsBounded: a component with many exports is instantiated over and over, which makes another type of each export each time.
func TestWorkIsBounded(t *testing.T) {
	decls := [][]byte{exportDecl("r", fresh...), cat(raw(1), raw(0x69, 0)), cat(raw(1), encode.Func(nil, encode.Field("x", 1)))}
	for i := range 20_000 {
		decls = append(decls, exportDecl(fmt.Sprintf("f%d", i), fn, 2))
	}
	sections := [][]byte{typ(componentType(decls...)), imports("c", comp, 0)}
	for range 5000 {
		sections = append(sections, encode.Section(encode.Instance, raw(0, 0, 0)))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	e := failure(t, encode.Component(sections...))
	runtime.ReadMemStats(&after)
	if !e.Limit || !strings.Contains(e.Reason, "too long") {
		t.Errorf("got %v", e)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
		t.Errorf("%d bytes of memory", used)
	}
}

func TestWhatIsUnsupported(t *testing.T) {
	e := failure(t, encode.Component(typ(raw(0x3f, 0x7e, 0))))
	if !errors.Is(e, binary.ErrUnsupported) || !e.Unsupported {
		t.Errorf("a resource represented by i64: %+v", e)
	}
}

// root validates a component of testdata.
func root(t testing.TB, name string) *types.Component {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join("..", "binary", "testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := binary.Decode(wasm)
	if err != nil {
		t.Fatal(err)
	}
	typ, err := validate.Validate(c)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func TestFunctionsUseTheTypesThatHaveNames(t *testing.T) {
	c := root(t, "types")
	rec, _ := c.Export("a-record")
	variant, _ := c.Export("a-variant")
	if variant.Type.Value.Cases[1].Type != rec.Type.Value {
		t.Error("a case of the exported variant is not the exported record")
	}
	f, ok := c.Import("f")
	if !ok || f.Func.Result.Kind != types.Result || f.Func.Result.OK.Elem.Fields[1].Type.Kind != types.String {
		t.Errorf("f: %+v", f.Func)
	}
	g, _ := c.Import("g")
	if m := g.Func.Params[0].Type; m.Kind != types.List || m.Length != 16 || m.Elem.Kind != types.F64 {
		t.Errorf("a list of fixed length: %+v", m)
	}
	if b, _ := c.Export("bytes"); b.Type.Value.Elem != types.Primitives[types.U8] {
		t.Errorf("bytes: %+v", b)
	}
}

func TestResourceTypesKeepTheirIdentity(t *testing.T) {
	c := root(t, "resources")
	host, _ := c.Import("host")
	thing, _ := host.Instance.Export("thing")
	n, _ := host.Instance.Export("[method]thing.n")
	mine, _ := c.Export("mine")
	make, _ := c.Export("[static]mine.make")
	r := thing.Type.Resource
	if r == nil || r.Name != "thing" || n.Func.Params[0].Type.Resource != r || make.Func.Params[0].Type.Resource != r {
		t.Errorf("the imported resource type: %+v", r)
	}
	if m := mine.Type.Resource; m == nil || m == r || m.Name != "mine" || make.Func.Result.Resource != m {
		t.Errorf("the exported resource type: %+v", m)
	}
}

func TestAnInstanceHasTheTypesItWasGiven(t *testing.T) {
	c := root(t, "nested")
	other, _ := c.Import("other")
	math, ok := c.Export("test:nested/math@1.2.3-rc.1")
	if !ok || len(other.Component.Imports) != 1 || len(other.Component.Exports) != 2 {
		t.Fatalf("%+v", c)
	}
	if sum, ok := math.Instance.Export("sum"); !ok || len(sum.Func.Params) != 2 {
		t.Errorf("sum: %+v", sum)
	}
	if core, _ := c.Export("core"); len(core.Module.Exports) != 2 || core.Module.Exports[1].Params != "\x7f\x7f" {
		t.Errorf("core: %+v", core.Module)
	}
	root(t, "strings")
}
