package wit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// What parses is printed, and what is printed of an interface parses again, to the same.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/print/*.txt", "../../wasi/*/*.wit", "../../../wasihttp/*.wit"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal("no files", pattern, err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			text, _, _ := strings.Cut(string(b), "-- printed --\n")
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		ps, err := Parse(strings.Split(text, "-- next --\n")...)
		if err != nil {
			return
		}
		first := Print(world(ps))
		if len(first) > maxWorld {
			return // cut
		}
		again, err := Parse(sources(first)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		if second := Print(world(again)); second != first {
			t.Fatalf("printed\n%s\nand that, parsed,\n%s", first, second)
		}
	})
}

// sources are packages that have the interfaces that a printed world imports: each interface one of its own, since those of one package
// need not be together.
func sources(printed string) []string {
	var all []string
	for part := range strings.SplitSeq(strings.TrimSuffix(printed, "}\n"), "  import ") {
		name, body, ok := strings.Cut(part, " {\n")
		if !ok || strings.HasPrefix(name, "world") {
			continue
		}
		pkg, name, _ := strings.Cut(name, "/")
		name, version, _ := strings.Cut(name, "@")
		text := "interface " + name + " {\n" + body
		header := "package " + qualified(pkg, version) + ";\n"
		found := false
		for i := range all {
			if strings.HasPrefix(all[i], header) {
				all[i], found = all[i]+text, true
			}
		}
		if !found {
			all = append(all, header+text)
		}
	}
	return all
}

// Whatever names a component has, what is printed is text for a terminal, of bounded size.
func FuzzPrint(f *testing.F) {
	f.Add("a", "\x1b[31m", byte(3))
	f.Add("list", "wasi:io/poll@0.2.0", byte(60))
	f.Add(strings.Repeat("long", 100), "\u202e", byte(200))
	f.Fuzz(func(t *testing.T, a, b string, n byte) {
		kind := &types.Type{Kind: types.Record, Fields: []types.Field{{Name: a, Type: types.Primitives[types.U8]}}}
		for range n % 24 {
			kind = &types.Type{Kind: types.Tuple, Fields: []types.Field{{Name: b, Type: kind}, {Name: a, Type: kind}}}
		}
		function := types.Extern{Sort: types.SortFunc, Func: &types.Func{Params: []types.Field{{Name: b, Type: kind}}, Result: kind}}
		defined := types.Extern{Sort: types.SortType, Type: types.Defined{Value: kind}}
		instance := types.Extern{Sort: types.SortInstance, Instance: &types.Instance{Exports: []types.Named{
			{Name: a, Extern: defined}, {Name: b, Extern: function}, {Name: "[method]" + a + ".x", Extern: function},
		}}}
		c := &types.Component{
			Imports: []types.Named{{Name: b, Extern: instance}, {Name: a, Extern: function}},
			Exports: []types.Named{{Name: a, Extern: defined}},
		}
		for _, s := range []string{Print(c), Summary(c), Type(kind), Func(function.Func)} {
			if !utf8.ValidString(s) || len(s) > maxWorld+10 {
				t.Fatalf("%d bytes of %q", len(s), s[:min(len(s), 100)])
			}
			for _, r := range s {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Fatalf("%q in what is printed", r)
				}
			}
		}
	})
}
