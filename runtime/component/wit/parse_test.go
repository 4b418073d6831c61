package wit

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

func TestTheDeclarationsOfOurHostsParse(t *testing.T) {
	var sources []string
	for _, f := range []string{"wasi/wasiio/io", "wasi/clocks/clocks", "wasi/random/random", "wasi/cli/cli", "wasi/filesystem/filesystem",
		"wasi/sockets/sockets", "../wasihttp/http"} {
		b, err := os.ReadFile(filepath.Join("..", "..", f+".wit"))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, string(b))
	}
	ps, err := Parse(sources...)
	if err != nil {
		t.Fatal(err)
	}
	for name, exports := range map[string]int{
		"wasi:io/streams":                 5 + 5 + 10, // types, methods of each resource
		"wasi:clocks/monotonic-clock":     3 + 4,
		"wasi:random/random@0.2.12":       2,
		"wasi:cli/terminal-stdin":         2,
		"wasi:filesystem/preopens@0.2.12": 2,
		"wasi:sockets/udp-create-socket":  3 + 1 + 1,
		"wasi:http/outgoing-handler":      4 + 1,
	} {
		i, version, ok := ps.Interface(name)
		if !ok || len(i.Exports) != exports || version != "0.2.12" {
			t.Errorf("%s: %v, version %q, %+v", name, ok, version, i)
		}
	}
	for _, name := range []string{"wasi:io/streams@0.2.0", "wasi:io/stream", "wasi:io", "io/streams", ""} {
		if _, _, ok := ps.Interface(name); ok {
			t.Errorf("%s is there", name)
		}
	}
}

func TestUsedTypesAreTheSame(t *testing.T) {
	ps, err := Parse(`package a:b;
		interface i { use j.{res, rec as record-of-j}; type again = res; type n = u32; f: func(r: again, s: borrow<res>) -> n; }
		interface j { resource res; record rec { r: res } }`)
	if err != nil {
		t.Fatal(err)
	}
	i, _, _ := ps.Interface("a:b/i")
	j, _, _ := ps.Interface("a:b/j")
	export := func(i *types.Instance, name string) types.Defined {
		e, ok := i.Export(name)
		if !ok {
			t.Fatal("no export", name)
		}
		return e.Type
	}
	res, rec := export(j, "res"), export(j, "rec")
	f, _ := i.Export("f")
	for what, same := range map[string]bool{
		"a resource that is used":              export(i, "res") == res,
		"an alias of it":                       export(i, "again") == res,
		"a record that is used":                export(i, "record-of-j") == rec,
		"the resource in it":                   rec.Value.Fields[0].Type.Kind == types.Own && rec.Value.Fields[0].Type.Resource == res.Resource,
		"a parameter that owns":                f.Func.Params[0].Type == rec.Value.Fields[0].Type,
		"a parameter that borrows":             f.Func.Params[1].Type.Kind == types.Borrow && f.Func.Params[1].Type.Resource == res.Resource,
		"a result by its name":                 f.Func.Result == export(i, "n").Value,
		"a primitive's new name, and not that": f.Func.Result != types.Primitives[types.U32] && f.Func.Result.Equal(types.Primitives[types.U32]),
	} {
		if !same {
			t.Errorf("%s is another type", what)
		}
	}
}
