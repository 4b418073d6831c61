package weave_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

func TestAnInstancesStateIsMoreThanMemoryAndGlobals(t *testing.T) {
	const (
		table   = "\x04\x01\x70\x00\x01"
		passive = "\x0b\x01\x01\x01a"
		active  = "\x0b\x01\x00\x41\x00\x0b\x01a"
	)
	code := func(body string) string { return "\x0a\x01" + string(rune(len(body)+2)) + "\x00" + body + "\x0b" }
	one := functions[:1] + "\x01\x00"
	for name, c := range map[string]struct {
		wasm  []byte
		taken int
		want  string
	}{
		"nothing of that":           {module(types, one, nopCode), 0, ""},
		"table.set":                 {module(types, one, table, code("\x41\x00\xd0\x70\x26\x00")), 0, "tables"},
		"table.grow":                {module(types, one, table, code("\xd0\x70\x41\x00\xfc\x0f\x00\x1a")), 0, "tables"},
		"elem.drop":                 {module(types, one, table, "\x09\x01\x01\x00\x00", code("\xfc\x0d\x00")), 0, "tables"},
		"data.drop":                 {module(types, one, memory, "\x0c\x01", code("\xfc\x09\x00"), passive), 1, "data segments while"},
		"memory.init":               {module(types, one, memory, "\x0c\x01", initCode, passive), 1, ""},
		"a segment that has stayed": {module(types, one, memory, nopCode, active), 0, "place"},
		"one that was taken":        {module(types, one, memory, nopCode, active), 1, ""},
		"a mutable reference":       {module("\x06\x01\x70\x01\xd0\x70\x0b"), 0, "refers"},
		"a constant reference":      {module("\x06\x01\x70\x00\xd0\x70\x0b"), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := weave.Read(c.wasm)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Unrestorable(c.taken); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestTheStateIsInGlobalsThatCanBeChanged(t *testing.T) {
	const (
		imports = "\x02\x01\x01g\x01a\x03\x7f\x01"
		globals = "\x06\x03\x7f\x00\x41\x00\x0b\x7f\x01\x41\x00\x0b\x7b\x01\xfd\x0c0123456789abcdef\x0b"
	)
	for check, want := range map[weave.Check][]int{weave.Fuel: {2, 3}, weave.Tick: {3, 4}} {
		m, err := weave.Read(module(imports, globals))
		if err != nil {
			t.Fatal(err)
		}
		m.Check = check
		if got := m.State(); !slices.Equal(got, want) {
			t.Errorf("check %v: globals %v", check, got)
		}
	}
}
