package describe

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
)

func TestReadModule(t *testing.T) {
	s, err := Read(guests.Wasm("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Kind != KindModule {
		t.Errorf("kind %q, want %q", s.Kind, KindModule)
	}
	if !slices.Contains(s.Exports, Extern{Name: "_start", Kind: "function", Type: "() -> ()"}) {
		t.Errorf("no _start among the exports %v", s.Exports)
	}
	if len(s.Memories) != 1 || s.Memories[0].Min == 0 {
		t.Errorf("memories %v, want one that is not empty", s.Memories)
	}
	for _, i := range s.Imports {
		if i.Module != "wasi_snapshot_preview1" || i.Kind != "function" || !strings.Contains(i.Type, "->") {
			t.Errorf("import %+v, want a WASI function with its type", i)
		}
	}
}

func TestReadComponent(t *testing.T) {
	s, err := Read(guests.Wasm("component"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Kind != KindComponent {
		t.Errorf("kind %q, want %q", s.Kind, KindComponent)
	}
}

// componentOf is a component's header and the given sections.
func componentOf(sections ...string) []byte {
	return []byte("\x00asm\x0d\x00\x01\x00" + strings.Join(sections, ""))
}

func TestReadFindsTheModulesOfAComponent(t *testing.T) {
	core := func(name, language string) string {
		return "\x00asm\x01\x00\x00\x00" +
			section(0, "\x04name"+section(0, string([]byte{byte(len(name))})+name)) +
			section(0, "\x09producers\x01\x08language\x01"+string([]byte{byte(len(language))})+language+"\x00")
	}
	nested := section(4, string(componentOf(section(1, core("inner", "C")), section(0, "\x02no"))))
	s, err := Read(componentOf(section(1, core("main", "Rust")), section(1, core("", "Rust")), nested, section(0, "\x03own"), section(1, "broken")))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Modules) != 4 || s.Modules[0].Name != "main" || s.Modules[1].Name != "" || s.Modules[2].Name != "inner" || s.Modules[3].Size != 6 {
		t.Errorf("modules %v", s.Modules)
	}
	if want := []Producer{{"language", "Rust", ""}, {"language", "C", ""}}; !slices.Equal(s.Producers, want) {
		t.Errorf("producers %v, want %v", s.Producers, want)
	}
	if want := []Custom{{"own", 0}}; !slices.Equal(s.Customs, want) {
		t.Errorf("custom sections %v, want %v", s.Customs, want)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		wasm []byte
		want string
	}{
		"an empty file":             {nil, "not a WebAssembly binary"},
		"text":                      {[]byte("hello, world"), "not a WebAssembly binary"},
		"a kind from the future":    {[]byte("\x00asm\x01\x00\x07\x00"), "its header says 7"},
		"a section that breaks off": {[]byte("\x00asm\x01\x00\x00\x00\x01\x7f"), "breaks off"},
		"a count beyond the bytes":  {[]byte("\x00asm\x01\x00\x00\x00\x07\x02\xff\x7f"), "more items"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(c.wasm); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := Read(nil); !errors.Is(err, ErrNotWasm) {
		t.Errorf("error %v does not wrap ErrNotWasm", err)
	}
}

// section is one section: its number, its size, its content.
func section(id byte, content string) string {
	return string([]byte{id, byte(len(content))}) + content
}

func TestReadImportsOfEveryKind(t *testing.T) {
	wasm := "\x00asm\x01\x00\x00\x00" +
		section(1, "\x01\x60\x02\x7f\x7e\x01\x7d") + // (i32, i64) -> (f32)
		section(2, "\x05"+
			"\x01m\x01f\x00\x00"+ // function of type 0
			"\x01m\x01t\x01\x70\x01\x01\x02"+ // table of functions, 1 to 2
			"\x01m\x01y\x02\x03\x01\x04"+ // shared memory, 1 to 4 pages
			"\x01m\x01g\x03\x7c\x01"+ // mutable f64
			"\x01m\x01x\x04\x00\x00") + // tag of type 0
		section(7, "\x01\x01e\x00\x00") + // the imported function again
		section(0, "\x09producers\x01\x08language\x02\x01C\x0211\x02Go\x00")
	s, err := Read([]byte(wasm))
	if err != nil {
		t.Fatal(err)
	}
	if want := []Extern{
		{"m", "f", "function", "(i32, i64) -> (f32)"}, {"m", "t", "table", ""}, {"m", "y", "memory", ""},
		{"m", "g", "global", "f64"}, {"m", "x", "tag", ""},
	}; !slices.Equal(s.Imports, want) {
		t.Errorf("imports %v, want %v", s.Imports, want)
	}
	if want := []Extern{{"", "e", "function", "(i32, i64) -> (f32)"}}; !slices.Equal(s.Exports, want) {
		t.Errorf("exports %v, want %v", s.Exports, want)
	}
	if m := s.Memories; len(m) != 1 || m[0].Min != 1 || m[0].Max == nil || *m[0].Max != 4 || !m[0].Shared || !m[0].Imported {
		t.Errorf("memories %+v, want a shared one of 1 to 4 pages, imported", m)
	}
	if want := []Producer{{"language", "C", "11"}, {"language", "Go", ""}}; !slices.Equal(s.Producers, want) {
		t.Errorf("producers %v, want %v", s.Producers, want)
	}
}

func TestNamesAreSafeToPrint(t *testing.T) {
	s, err := Read([]byte("\x00asm\x01\x00\x00\x00\x00\x05\x04\x1b[2J"))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Customs[0].Name; strings.ContainsRune(got, 0x1b) {
		t.Errorf("name %q still holds an escape", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range guests.Names() {
		if wasm := guests.Wasm(name); len(wasm) < 64<<10 {
			f.Add(wasm)
		}
	}
	f.Add(componentOf(section(4, string(componentOf(section(1, "\x00asm\x01\x00\x00\x00\x00\x05\x04name\x00"))))))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		s, err := Read(wasm)
		if err != nil {
			return
		}
		if s.Kind != KindModule && s.Kind != KindComponent {
			t.Errorf("read without an error, but the kind is %q", s.Kind)
		}
	})
}
