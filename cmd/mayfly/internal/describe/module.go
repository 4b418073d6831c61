package describe

import (
	"fmt"
	"strings"
)

// Sections of a core module (WebAssembly core specification, 5.5.2).
const (
	sectionCustom   = 0
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionMemory   = 5
	sectionExport   = 7
)

// externKinds are the kinds of a core module's imports and exports, by number.
var externKinds = [...]string{"function", "table", "memory", "global", "tag"}

// module gathers a core module.
type module struct {
	s         Summary
	types     []string // function types, as text
	functions []uint32 // the type of each function, imported ones first
}

func (m *module) section(id byte, r *reader) error {
	switch id {
	case sectionCustom:
		return m.s.custom(r)
	case sectionType:
		return m.typeSection(r)
	case sectionImport:
		return m.importSection(r)
	case sectionFunction:
		m.s.Functions = r.count()
		for range m.s.Functions {
			m.functions = append(m.functions, r.u32())
		}
	case sectionMemory:
		for range r.count() {
			m.s.Memories = append(m.s.Memories, readMemory(r))
		}
	case sectionExport:
		return m.exportSection(r)
	}
	return r.err
}

// typeSection reads function types until one of another kind comes: what else
// there is, is new, and without types the rest can still be told.
func (m *module) typeSection(r *reader) error {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		if r.byte() != 0x60 {
			return nil
		}
		params, ok1 := valueTypes(r)
		results, ok2 := valueTypes(r)
		if !ok1 || !ok2 {
			return nil
		}
		m.types = append(m.types, params+" -> "+results)
	}
	return r.err
}

func (m *module) importSection(r *reader) error {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		e := Extern{Module: r.name(), Name: r.name()}
		kind := r.byte()
		if r.err != nil {
			return r.err
		}
		if int(kind) >= len(externKinds) {
			return fmt.Errorf("import %s.%s: of a kind that is not known, %d", e.Module, e.Name, kind)
		}
		e.Kind = externKinds[kind]
		switch e.Kind {
		case "function":
			t := r.u32()
			m.functions = append(m.functions, t)
			e.Type = m.functionType(t)
		case "table":
			if valueType(r) == "" {
				return fmt.Errorf("import %s.%s: a table of a type that is not known", e.Module, e.Name)
			}
			readMemory(r) // limits are written alike
		case "memory":
			memory := readMemory(r)
			memory.Imported = true
			m.s.Memories = append(m.s.Memories, memory)
		case "global":
			if e.Type = valueType(r); e.Type == "" {
				return fmt.Errorf("import %s.%s: a global of a type that is not known", e.Module, e.Name)
			}
			r.byte() // mutable or not
		case "tag":
			r.byte()
			r.u32()
		}
		m.s.Imports = append(m.s.Imports, e)
	}
	return r.err
}

func (m *module) exportSection(r *reader) error {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		e := Extern{Name: r.name()}
		kind, index := r.byte(), r.u32()
		if r.err != nil {
			return r.err
		}
		if int(kind) >= len(externKinds) {
			return fmt.Errorf("export %s: of a kind that is not known, %d", e.Name, kind)
		}
		e.Kind = externKinds[kind]
		if e.Kind == "function" && uint64(index) < uint64(len(m.functions)) {
			e.Type = m.functionType(m.functions[index])
		}
		m.s.Exports = append(m.s.Exports, e)
	}
	return r.err
}

func (m *module) functionType(t uint32) string {
	if uint64(t) < uint64(len(m.types)) {
		return m.types[t]
	}
	return ""
}

func readMemory(r *reader) Memory {
	flags := r.byte()
	m := Memory{Min: r.u64(), Shared: flags&2 != 0, Wide: flags&4 != 0}
	if flags&1 != 0 {
		limit := r.u64()
		m.Max = &limit
	}
	return m
}

// valueTypes is a vector of value types as (i32, i64), and whether all were known.
func valueTypes(r *reader) (string, bool) {
	var names []string
	for n := r.count(); n > 0 && r.err == nil; n-- {
		t := valueType(r)
		if t == "" {
			return "", false
		}
		names = append(names, t)
	}
	return "(" + strings.Join(names, ", ") + ")", r.err == nil
}

// valueType is the name of a value type, or empty when it is not known.
func valueType(r *reader) string {
	switch r.byte() {
	case 0x7f:
		return "i32"
	case 0x7e:
		return "i64"
	case 0x7d:
		return "f32"
	case 0x7c:
		return "f64"
	case 0x7b:
		return "v128"
	case 0x70:
		return "funcref"
	case 0x6f:
		return "externref"
	case 0x69:
		return "exnref"
	}
	return ""
}
