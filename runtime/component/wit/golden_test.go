package wit

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/validate"
)

var update = flag.Bool("update", false, "write what is printed into testdata")

// Each file of testdata/print has WIT packages, then the world that imports all their interfaces, as printed.
func TestPackagesArePrintedAs(t *testing.T) {
	files, err := filepath.Glob("testdata/print/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, want, _ := strings.Cut(string(b), "-- printed --\n")
			ps, err := Parse(strings.Split(text, "-- next --\n")...)
			if err != nil {
				t.Fatal(err)
			}
			got := Print(world(ps))
			if *update {
				if err := os.WriteFile(file, []byte(text+"-- printed --\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("printed:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// world imports all interfaces of some packages.
func world(ps *Packages) *types.Component {
	c := &types.Component{}
	for _, p := range ps.Packages {
		for _, i := range p.Interfaces {
			c.Imports = append(c.Imports, types.Named{
				Name:   p.Name + "/" + qualified(i.Name, p.Version),
				Extern: types.Extern{Sort: types.SortInstance, Instance: i.Type},
			})
		}
	}
	return c
}

// world.wasm implements the world of world.wit by functions that only trap. It was made by "wasm-tools component embed --dummy", "component
// new" and "strip -a".
func TestAComponentIsPrintedAs(t *testing.T) {
	b, err := os.ReadFile("testdata/component/world.wasm")
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := binary.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := validate.Validate(decoded)
	if err != nil {
		t.Fatal(err)
	}
	for file, got := range map[string]string{"print.txt": Print(c), "summary.txt": Summary(c)} {
		file = filepath.Join("testdata/component", file)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: printed:\n%s\nwant:\n%s", file, got, want)
		}
	}
}
