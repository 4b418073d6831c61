package validate

import (
	"fmt"
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// value is what is known about a type of values.
type value struct {
	shape
	bytes, align uint64 // in a memory of 64 bits. Canonical ABI, elem_size and alignment
	flat         string // the core types it becomes, when they are no more than maxFlatParams. Canonical ABI, flatten_type
	overflows    bool   // they are more
	pointers     bool   // a value points into memory
	borrows      bool   // there are borrowed handles in it
	alias        alias  // of the resource type of Own and Borrow
}

// Core value types, as WebAssembly encodes them.
const (
	i32 = 0x7f
	i64 = 0x7e
	f32 = 0x7d
	f64 = 0x7c

	oneI32 = "\x7f"
)

// primitiveValue tells what is known about a primitive type.
func primitiveValue(k types.Kind) *value {
	p := &value{shape: leaf}
	set := func(bytes uint64, flat ...byte) { p.bytes, p.align, p.flat = bytes, bytes, string(flat) }
	switch k {
	case types.Bool, types.S8, types.U8:
		set(1, i32)
	case types.S16, types.U16:
		set(2, i32)
	case types.S32, types.U32, types.Char:
		set(4, i32)
	case types.F32:
		set(4, f32)
	case types.S64, types.U64:
		set(8, i64)
	case types.F64:
		set(8, f64)
	case types.String:
		set(8, i32, i32)
		p.bytes = 16
		p.pointers = true
	}
	return p
}

// valueType makes a type of values.
func (s *scope) valueType(d *binary.ValueType) (*types.Type, error) {
	t := &types.Type{Kind: d.Kind}
	i := &value{shape: leaf, align: 1}
	var err error
	switch d.Kind {
	case types.Record, types.Tuple:
		t.Fields, err = s.fields(d.Fields, d.Kind == types.Record, "field")
		if err == nil {
			err = s.v.product(i, t.Fields)
		}
	case types.Variant:
		t.Cases, err = s.fields(d.Cases, true, "case")
		if err == nil {
			err = s.v.sum(i, payloads(t.Cases))
		}
	case types.List:
		err = s.list(t, i, d)
	case types.Flags:
		t.Labels, err = d.Labels, checkLabels(d.Labels, "flag")
		if err == nil && len(d.Labels) > 32 {
			err = fmt.Errorf("%d flags: at most 32", len(d.Labels))
		}
		i.bytes = flagBytes(len(d.Labels))
		i.align, i.flat = i.bytes, oneI32
	case types.Enum:
		t.Labels, err = d.Labels, checkLabels(d.Labels, "case")
		i.bytes = discriminantBytes(len(d.Labels))
		i.align, i.flat = i.bytes, oneI32
	case types.Option:
		if t.Elem, err = s.ref(d.Elem); err == nil {
			err = s.v.sum(i, []*types.Type{nil, t.Elem})
		}
	case types.Result:
		if t.OK, err = s.ref(d.OK); err != nil {
			break
		}
		if t.Err, err = s.ref(d.Err); err == nil {
			err = s.v.sum(i, []*types.Type{t.OK, t.Err})
		}
	case types.Own, types.Borrow:
		var r deftype
		if r, err = s.resourceType(d.Handle); err == nil {
			t.Resource = r.Resource
			*i = value{shape: leaf, bytes: 4, align: 4, flat: oneI32, borrows: d.Kind == types.Borrow, alias: r.alias}
		}
	default:
		// Another type for the same kind, so that it can have a name.
		*i = *s.v.values[types.Primitives[d.Kind]]
	}
	if err != nil {
		return nil, err
	}
	if i.bytes >= maxValueSize {
		return nil, fmt.Errorf("a value of this type would take %d bytes or more: it must be less than %d", i.bytes, maxValueSize)
	}
	s.v.values[t] = i
	return t, nil
}

func (s *scope) list(t *types.Type, i *value, d *binary.ValueType) (err error) {
	if d.Fixed && d.Length == 0 {
		return fmt.Errorf("a list of fixed length must have more than zero elements")
	}
	if t.Elem, err = s.ref(d.Elem); err != nil {
		return err
	}
	t.Length = d.Length
	e := s.v.values[t.Elem]
	i.borrows = e.borrows
	if d.Fixed {
		if d.Length > maxFixedLength {
			return limited{fmt.Sprintf("a list of %d elements: at most %d", d.Length, maxFixedLength)}
		}
		i.bytes, i.align, i.pointers = e.bytes*uint64(d.Length), e.align, e.pointers
		for n := uint32(0); n < d.Length && !i.overflows; n++ {
			i.flatten(e)
		}
	} else {
		i.bytes, i.align, i.flat, i.pointers = 16, 8, oneI32+oneI32, true
	}
	return i.add(e.shape)
}

// product makes the type of values that have all of some fields. Canonical ABI, elem_size_record and flatten_record.
func (v *validator) product(i *value, fields []types.Field) error {
	for _, f := range fields {
		e := v.values[f.Type]
		i.bytes = alignTo(i.bytes, e.align) + e.bytes
		i.align = max(i.align, e.align)
		i.pointers = i.pointers || e.pointers
		i.borrows = i.borrows || e.borrows
		i.flatten(e)
		if err := i.add(e.shape); err != nil {
			return err
		}
	}
	i.bytes = alignTo(i.bytes, i.align)
	return nil
}

// sum makes the type of values that have one of some payloads, which may be nil. Canonical ABI, elem_size_variant and flatten_variant.
func (v *validator) sum(i *value, payloads []*types.Type) error {
	var flat []byte
	var largest uint64
	for _, p := range payloads {
		if p == nil {
			continue
		}
		e := v.values[p]
		largest, i.align = max(largest, e.bytes), max(i.align, e.align)
		i.pointers = i.pointers || e.pointers
		i.borrows = i.borrows || e.borrows
		i.overflows = i.overflows || e.overflows
		for n, c := range []byte(e.flat) {
			if n < len(flat) {
				flat[n] = join(flat[n], c)
			} else {
				flat = append(flat, c)
			}
		}
		if err := i.add(e.shape); err != nil {
			return err
		}
	}
	tag := discriminantBytes(len(payloads))
	payloadAt := alignTo(tag, i.align)
	i.align = max(i.align, tag)
	i.bytes = alignTo(payloadAt+largest, i.align)
	i.flatten(&value{flat: oneI32})
	i.flatten(&value{flat: string(flat)})
	return nil
}

// flatten appends the core types of a part.
func (i *value) flatten(part *value) {
	i.overflows = i.overflows || part.overflows || len(i.flat)+len(part.flat) > maxFlatParams
	if i.overflows {
		i.flat = ""
		return
	}
	i.flat += part.flat
}

// join is a core type that can hold both. Canonical ABI, join.
func join(a, b byte) byte {
	switch {
	case a == b:
		return a
	case a == i32 && b == f32, a == f32 && b == i32:
		return i32
	}
	return i64
}

func alignTo(n, align uint64) uint64 { return (n + align - 1) / align * align }

// discriminantBytes is how large the number of a case is. Canonical ABI, discriminant_type.
func discriminantBytes(cases int) uint64 {
	switch {
	case cases <= 1<<8:
		return 1
	case cases <= 1<<16:
		return 2
	}
	return 4
}

// flagBytes is how large a set of flags is. Canonical ABI, elem_size_flags.
func flagBytes(flags int) uint64 {
	switch {
	case flags <= 8:
		return 1
	case flags <= 16:
		return 2
	}
	return 4
}

func payloads(cases []types.Field) []*types.Type {
	all := make([]*types.Type, len(cases))
	for i, c := range cases {
		all[i] = c.Type
	}
	return all
}

// fields resolves fields, cases or parameters.
func (s *scope) fields(fields []binary.Field, named bool, what string) ([]types.Field, error) {
	if len(fields) == 0 {
		return nil, fmt.Errorf("a type must have at least one %s", what)
	}
	seen := map[string]string{}
	all := make([]types.Field, len(fields))
	for n, f := range fields {
		if named {
			if err := addLabel(seen, f.Name, what); err != nil {
				return nil, err
			}
		}
		t, err := s.ref(f.Type)
		if err != nil {
			return nil, err
		}
		all[n] = types.Field{Name: f.Name, Type: t}
	}
	return all, nil
}

func checkLabels(labels []string, what string) error {
	if len(labels) == 0 {
		return fmt.Errorf("a type must have at least one %s", what)
	}
	seen := map[string]string{}
	for _, l := range labels {
		if err := addLabel(seen, l, what); err != nil {
			return err
		}
	}
	return nil
}

// addLabel checks that a label is one, and strongly-unique among those seen.
func addLabel(seen map[string]string, label, what string) error {
	if !isLabel(label) {
		return fmt.Errorf("%s name %q is not in kebab case", what, label)
	}
	key := strings.ToLower(label)
	if before, ok := seen[key]; ok {
		return fmt.Errorf("%s name %q conflicts with %q", what, label, before)
	}
	seen[key] = label
	return nil
}

// ref resolves a reference to a type of values. Of NoType that is nil.
func (s *scope) ref(r binary.TypeRef) (*types.Type, error) {
	if k, ok := r.Primitive(); ok {
		return types.Primitives[k], nil
	}
	i, ok := r.Index()
	if !ok {
		return nil, nil
	}
	t, err := item(s.types, binary.SortType, i)
	if err == nil && t.Value == nil {
		err = fmt.Errorf("type %d is not the type of a value", i)
	}
	return t.Value, err
}

// resourceType resolves a reference to a resource type.
func (s *scope) resourceType(i uint32) (deftype, error) {
	t, err := item(s.types, binary.SortType, i)
	if err == nil && t.Resource == nil {
		err = fmt.Errorf("type %d is not a resource type", i)
	}
	return t, err
}
