package binary

import "github.com/mayfly-run/mayfly/runtime/component/types"

// Opcodes of core types. WebAssembly, section 5.3; 0x50 for modules is Binary.md's.
const (
	coreFunc   = 0x60
	coreModule = 0x50
)

// coreType reads a core type. Binary.md, "core:type".
func (r *reader) coreType() Definition {
	t := &CoreType{Pos: r.here()}
	at := r.pos
	switch op := r.byte(); op {
	case coreFunc:
		t.Func = r.coreFuncType()
	case coreModule:
		t.Module = &ModuleType{list(r, "declarations", maxItems, (*reader).moduleDecl)}
	default:
		r.badCoreType(at, op)
	}
	return t
}

func (r *reader) badCoreType(at int, op byte) {
	switch op {
	case 0x00, 0x4e, 0x4f, 0x50, 0x5e, 0x5f:
		r.refuse(at, "core type %#02x: types of the garbage collection proposal are not supported", op)
	default:
		r.failAt(at, "core type %#02x: not known", op)
	}
}

func (r *reader) coreFuncType() *CoreFuncType {
	return &CoreFuncType{Params: r.coreValueTypes(), Results: r.coreValueTypes()}
}

func (r *reader) coreValueTypes() string {
	n := r.count("values", maxParams)
	b := make([]byte, 0, n)
	for ; n > 0 && r.err == nil; n-- {
		b = append(b, r.coreValueType())
	}
	return string(b)
}

// coreValueType reads a core value type. WebAssembly, section 5.3.4.
func (r *reader) coreValueType() byte {
	at := r.pos
	switch t := r.byte(); t {
	case 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f:
		return t
	case 0x63, 0x64, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73, 0x74:
		r.refuse(at, "core value type %#02x: types of the garbage collection and exception proposals are not supported", t)
	default:
		r.failAt(at, "core value type %#02x: not known", t)
	}
	return 0x7f
}

// moduleDecl reads a declaration of the type of a core module. Binary.md, "core:moduledecl".
func (r *reader) moduleDecl() Definition {
	at := r.here()
	start := r.pos
	switch c := r.byte(); c {
	case 0x00:
		return &CoreImport{Pos: at, Module: r.name(), Name: r.name(), Type: r.coreExtern()}
	case 0x01:
		t := &CoreType{Pos: r.here()}
		start := r.pos
		if op := r.byte(); op == coreFunc {
			t.Func = r.coreFuncType()
		} else {
			r.badCoreType(start, op)
		}
		return t
	case 0x02:
		r.expect(0x10, "sort of an alias")
		r.expect(0x01, "alias of kind")
		return &AliasOuter{Pos: at, Sort: SortCoreType, Count: r.u32(), Index: r.u32()}
	case 0x03:
		return &CoreExportDecl{Pos: at, Name: r.name(), Type: r.coreExtern()}
	default:
		r.failAt(start, "declaration %#02x: not known", c)
		return nil
	}
}

// coreExtern reads the type of a core import or export. WebAssembly, section 5.3.16.
func (r *reader) coreExtern() CoreExtern {
	at := r.pos
	c := r.byte()
	t := CoreExtern{CoreExtern: types.CoreExtern{Sort: types.CoreSort(c)}}
	switch t.Sort {
	case types.CoreFunction:
		t.Index = r.u32()
	case types.CoreTag:
		r.expect(0x00, "attribute of a tag")
		t.Index = r.u32()
	case types.CoreTable:
		start := r.pos
		t.Value = r.coreValueType()
		if t.Value != 0x70 && t.Value != 0x6f {
			r.failAt(start, "table of %#02x: not a reference", t.Value)
		}
		t.Limits = r.limits()
	case types.CoreMemory:
		t.Limits = r.limits()
	case types.CoreGlobal:
		t.Value = r.coreValueType()
		start := r.pos
		switch flags := r.byte(); flags {
		case 0, 1:
			t.Mutable = flags == 1
		case 2, 3:
			r.refuse(start, "shared globals are not supported")
		default:
			r.failAt(start, "mutability %#02x of a global: not known", flags)
		}
	default:
		r.failAt(at, "core import or export of kind %#02x: not known", c)
	}
	return t
}

// limits reads the limits of a table or a memory. WebAssembly, section 5.3.10.
func (r *reader) limits() types.Limits {
	const hasMax, shared, address, pageSize = 1, 2, 4, 8
	at := r.pos
	flags := r.byte()
	switch {
	case flags > hasMax|shared|address|pageSize:
		r.failAt(at, "limits of kind %#02x: not known", flags)
	case flags&pageSize != 0:
		r.refuse(at, "pages of other sizes than 64 KiB are not supported")
	}
	l := types.Limits{HasMax: flags&hasMax != 0, Shared: flags&shared != 0, Address: flags&address != 0}
	read := func() uint64 {
		if l.Address {
			return r.u64()
		}
		return uint64(r.u32())
	}
	l.Min = read()
	if l.HasMax {
		l.Max = read()
	}
	return l
}
