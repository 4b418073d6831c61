package wit

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// Bounds of what is printed.
const (
	maxMessage = 2 << 10 // bytes of one type or function
	maxWorld   = 1 << 20 // bytes of a component
	lineWidth  = 100     // columns that a record's definition may have on one line
)

// Type is a value's type as text: "option<u32>". Types that have names in WIT are written out, since two of one name may differ: "record {
// x: u32 }". Long text is cut.
func Type(t *types.Type) string {
	w := &writer{limit: maxMessage}
	w.value(t)
	return w.text()
}

// Func is a function's type as text: "func(name: string) -> bool". It is written as [Type] writes types.
func Func(f *types.Func) string {
	w := &writer{limit: maxMessage}
	w.function(f, false)
	return w.text()
}

// writer makes text of types, up to a limit.
type writer struct {
	out    []byte
	limit  int
	indent int // of lines
	depth  int // of types in types

	// What types are called: in the interface that is being written, and in others. Keys are *types.Type and *types.Resource.
	local   map[any]string
	origins map[any]origin
}

// origin is the interface that first exported a type, and what it calls it.
type origin struct{ from, name string }

// called is the name of a type, or of a resource; "" if it has none.
func (w *writer) called(key any) string {
	if name := w.local[key]; name != "" {
		return name
	}
	return w.origins[key].name
}

// text is what was written, cut to the limit.
func (w *writer) text() string {
	if !w.full() {
		return string(w.out)
	}
	n := w.limit
	for n > 0 && !utf8.RuneStart(w.out[n]) {
		n--
	}
	return string(w.out[:n]) + "…"
}

// full reports that there is no use in writing more. Types can be far larger than the components that have them, so whatever walks
// through one asks.
func (w *writer) full() bool { return len(w.out) > w.limit }

func (w *writer) put(s ...string) {
	for _, s := range s {
		w.out = append(w.out, s...)
	}
}

// name writes a name as an identifier of WIT.
func (w *writer) name(s string) {
	if keywords[s] {
		w.put("%")
	}
	w.put(clean(s))
}

// clean makes what a component calls something fit for a terminal.
func clean(s string) string {
	cut := false
	if len(s) > maxName {
		s, cut = s[:maxName], true
	}
	plain := true
	for _, r := range s {
		plain = plain && unicode.IsPrint(r) && r != utf8.RuneError
	}
	if !plain {
		s = strconv.QuoteToASCII(s)
		s = s[1 : len(s)-1]
	}
	if cut {
		s += "…"
	}
	return s
}

// function writes a function's type; of a method, without its self.
func (w *writer) function(f *types.Func, method bool) {
	w.put("func")
	w.signature(f, method)
	if f.Result != nil {
		w.put(" -> ")
		w.value(f.Result)
	}
}

func (w *writer) signature(f *types.Func, method bool) {
	w.put("(")
	params := f.Params
	if method {
		params = params[1:]
	}
	w.named(params, ", ")
	w.put(")")
}

// named writes fields of a record or parameters.
func (w *writer) named(fields []types.Field, separator string) {
	for i, f := range fields {
		if w.full() {
			return
		}
		if i > 0 {
			w.put(separator)
		}
		w.name(f.Name)
		w.put(": ")
		w.value(f.Type)
	}
}

// value writes a type as it stands in other types: by its name, if the interface has one for it.
func (w *writer) value(t *types.Type) {
	if t == nil {
		w.put("_")
		return
	}
	if name := w.called(t); name != "" {
		w.name(name)
		return
	}
	w.structure(t)
}

// structure writes what a type is.
func (w *writer) structure(t *types.Type) {
	if w.depth++; w.full() || w.depth > maxDepth {
		w.put("…")
		w.depth--
		return
	}
	defer func() { w.depth-- }()
	switch t.Kind {
	case types.List:
		w.put("list<")
		w.value(t.Elem)
		if t.Length > 0 {
			w.put(", ", strconv.FormatUint(uint64(t.Length), 10))
		}
		w.put(">")
	case types.Option:
		w.put("option<")
		w.value(t.Elem)
		w.put(">")
	case types.Result:
		w.result(t)
	case types.Tuple:
		w.put("tuple<")
		for i, f := range t.Fields {
			if w.full() {
				return
			}
			if i > 0 {
				w.put(", ")
			}
			w.value(f.Type)
		}
		w.put(">")
	case types.Own:
		w.resource(t.Resource)
	case types.Borrow:
		w.put("borrow<")
		w.resource(t.Resource)
		w.put(">")
	case types.Record, types.Variant, types.Flags, types.Enum:
		w.put(t.Kind.String(), " { ")
		w.members(t, ", ")
		w.put(" }")
	default:
		w.put(t.Kind.String())
	}
}

func (w *writer) result(t *types.Type) {
	w.put("result")
	if t.OK == nil && t.Err == nil {
		return
	}
	w.put("<")
	w.value(t.OK)
	if t.Err != nil {
		w.put(", ")
		w.value(t.Err)
	}
	w.put(">")
}

func (w *writer) resource(r *types.Resource) {
	name := w.called(r)
	if name == "" && r != nil {
		name = r.Name
	}
	if name == "" {
		w.put("resource")
		return
	}
	w.name(name)
}

// members writes fields, cases or labels.
func (w *writer) members(t *types.Type, separator string) {
	if t.Kind == types.Record {
		w.named(t.Fields, separator)
		return
	}
	for i, label := range t.Labels {
		if w.full() {
			return
		}
		if i > 0 {
			w.put(separator)
		}
		w.name(label)
	}
	for i, c := range t.Cases {
		if w.full() {
			return
		}
		if i > 0 {
			w.put(separator)
		}
		w.name(c.Name)
		if c.Type != nil {
			w.put("(")
			w.value(c.Type)
			w.put(")")
		}
	}
}

// line begins a line.
func (w *writer) line() { w.put(strings.Repeat("  ", w.indent)) }
