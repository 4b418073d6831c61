package binary

import "github.com/mayfly-run/mayfly/runtime/component/types"

// Opcodes of types. Binary.md, "Type Definitions".
const (
	typeRecord       = 0x72
	typeVariant      = 0x71
	typeList         = 0x70
	typeTuple        = 0x6f
	typeFlags        = 0x6e
	typeEnum         = 0x6d
	typeOption       = 0x6b
	typeResult       = 0x6a
	typeOwn          = 0x69
	typeBorrow       = 0x68
	typeFixedList    = 0x67
	typeStream       = 0x66
	typeFuture       = 0x65
	typeErrorContext = 0x64
	typeMap          = 0x63
	typeFunc         = 0x40
	typeComponent    = 0x41
	typeInstance     = 0x42
	typeAsyncFunc    = 0x43
	typeResource     = 0x3f
)

// primitive is the kind that an opcode stands for.
func primitive(op byte) (k types.Kind, ok bool) {
	const first, last = 0x7f, 0x73
	return types.Kind(first - op), op >= last && op <= first
}

// deftype reads a type, which is nested so deep in others. Binary.md, "deftype".
func (r *reader) deftype(depth int) Definition {
	t := &Type{Pos: r.here()}
	at := r.pos
	switch op := r.byte(); op {
	case typeFunc:
		t.Func = &FuncType{Params: list(r, "parameters", maxParams, (*reader).field), Result: r.result()}
	case typeAsyncFunc:
		r.later(at, "async function")
	case typeComponent:
		t.Component = &ComponentType{r.declarations(depth, true)}
	case typeInstance:
		t.Instance = &InstanceType{r.declarations(depth, false)}
	case typeResource:
		t.Resource = &ResourceType{Rep: r.coreValueType(), Destructor: r.optionalIndex("destructor")}
	default:
		t.Value = r.valueType(op)
	}
	return t
}

// declarations reads what stands in the type of a component or an instance. Binary.md, "componentdecl".
func (r *reader) declarations(depth int, component bool) []Definition {
	if depth >= maxDepth {
		r.exceed("types nested more than %d deep", maxDepth)
	}
	return list(r, "declarations", maxItems, func(r *reader) Definition {
		at := r.pos
		switch c := r.byte(); {
		case c == 0x00:
			return r.coreType()
		case c == 0x01:
			return r.deftype(depth + 1)
		case c == 0x02:
			return r.alias()
		case c == 0x03 && component:
			return r.importDecl()
		case c == 0x04:
			return r.exportDecl()
		default:
			r.failAt(at, "declaration %#02x: not known", c)
			return nil
		}
	})
}

// valueType reads the rest of a type of values. Binary.md, "defvaltype".
func (r *reader) valueType(op byte) *ValueType {
	at := r.pos - 1
	if k, ok := primitive(op); ok {
		return &ValueType{Kind: k}
	}
	switch op {
	case typeRecord:
		return &ValueType{Kind: types.Record, Fields: list(r, "fields", maxFields, (*reader).field)}
	case typeVariant:
		return &ValueType{Kind: types.Variant, Cases: list(r, "cases", maxFields, (*reader).variantCase)}
	case typeList:
		return &ValueType{Kind: types.List, Elem: r.typeRef()}
	case typeFixedList:
		return &ValueType{Kind: types.List, Elem: r.typeRef(), Length: r.u32(), Fixed: true}
	case typeTuple:
		return &ValueType{Kind: types.Tuple, Fields: list(r, "types", maxFields, func(r *reader) Field { return Field{Type: r.typeRef()} })}
	case typeFlags:
		return &ValueType{Kind: types.Flags, Labels: list(r, "flags", maxFields, (*reader).name)}
	case typeEnum:
		return &ValueType{Kind: types.Enum, Labels: list(r, "cases", maxFields, (*reader).name)}
	case typeOption:
		return &ValueType{Kind: types.Option, Elem: r.typeRef()}
	case typeResult:
		return &ValueType{Kind: types.Result, OK: r.optionalTypeRef(), Err: r.optionalTypeRef()}
	case typeOwn:
		return &ValueType{Kind: types.Own, Handle: r.u32()}
	case typeBorrow:
		return &ValueType{Kind: types.Borrow, Handle: r.u32()}
	case typeStream:
		r.later(at, "stream")
	case typeFuture:
		r.later(at, "future")
	case typeErrorContext:
		r.later(at, "error-context")
	case typeMap:
		r.refuse(at, "map: not supported yet; use a list of tuples")
	default:
		r.failAt(at, "type %#02x: not known", op)
	}
	return nil
}

// typeRef reads a reference to a type of values. Binary.md, "valtype".
func (r *reader) typeRef() TypeRef {
	at := r.pos
	op := r.peek()
	if k, ok := primitive(op); ok {
		r.pos++
		return Primitive(k)
	}
	i := r.s33()
	switch {
	case r.err != nil:
	case i >= 0:
		return Ref(uint32(i))
	case op == typeErrorContext:
		r.later(at, "error-context")
	default:
		r.failAt(at, "value type %#02x: not known", op)
	}
	return NoType
}

// optionalTypeRef reads a reference to a type that may be left out.
func (r *reader) optionalTypeRef() TypeRef {
	if !r.flag("optional type") {
		return NoType
	}
	return r.typeRef()
}

// result reads what a function returns. Binary.md, "resultlist".
func (r *reader) result() TypeRef {
	if !r.flag("result of a function") {
		return r.typeRef()
	}
	r.expect(0x00, "number of results")
	return NoType
}

func (r *reader) field() Field { return Field{Name: r.name(), Type: r.typeRef()} }

func (r *reader) variantCase() Field {
	f := Field{Name: r.name(), Type: r.optionalTypeRef()}
	r.expect(0x00, "end of a case")
	return f
}
