package wave

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/wit"
)

// maxFormatted bounds the text of a value, in bytes.
const maxFormatted = 16 << 20

// Format writes a value of a type, on one line and without control characters. What it writes can be parsed again to the same value,
// but for NaNs, which are all alike; for handles of resources, which are written as their type; and for values of more than 16 MiB of
// text, which are cut.
func Format(t *types.Type, v abi.Value) string {
	f := &formatter{}
	f.value(t, v)
	if len(f.out) > maxFormatted {
		return strings.ToValidUTF8(string(f.out[:maxFormatted]), "") + "…"
	}
	return string(f.out)
}

type formatter struct{ out []byte }

func (f *formatter) put(s string) { f.out = append(f.out, s...) }

func (f *formatter) value(t *types.Type, v abi.Value) {
	if len(f.out) > maxFormatted {
		return
	}
	switch t.Kind {
	case types.Bool:
		f.out = strconv.AppendBool(f.out, v.Bool())
	case types.S8, types.S16, types.S32, types.S64:
		f.out = strconv.AppendInt(f.out, signed(t.Kind, v), 10)
	case types.U8, types.U16, types.U32, types.U64:
		f.out = strconv.AppendUint(f.out, unsigned(t.Kind, v), 10)
	case types.F32:
		f.float(float64(v.F32()), 32)
	case types.F64:
		f.float(v.F64(), 64)
	case types.Char:
		f.put("'")
		f.character(v.Char(), '\'')
		f.put("'")
	case types.String:
		f.string(v.String())
	case types.List:
		f.list(t, v)
	case types.Tuple:
		f.sequence("(", ")", len(t.Fields), func(i int) { f.value(t.Fields[i].Type, v.Field(i)) })
	case types.Record:
		f.record(t, v)
	case types.Flags:
		f.flags(t, v)
	case types.Enum:
		f.caseOf(t.Labels[v.Case()])
	case types.Variant:
		c := t.Cases[v.Case()]
		f.caseOf(c.Name)
		f.payload(c.Type, v)
	case types.Option:
		f.put([]string{"none", "some"}[v.Case()])
		f.payload([]*types.Type{nil, t.Elem}[v.Case()], v)
	case types.Result:
		f.put([]string{"ok", "err"}[v.Case()])
		f.payload([]*types.Type{t.OK, t.Err}[v.Case()], v)
	default:
		f.put(wit.Type(t))
	}
}

func signed(kind types.Kind, v abi.Value) int64 {
	switch kind {
	case types.S8:
		return int64(v.S8())
	case types.S16:
		return int64(v.S16())
	case types.S32:
		return int64(v.S32())
	default:
		return v.S64()
	}
}

func unsigned(kind types.Kind, v abi.Value) uint64 {
	switch kind {
	case types.U8:
		return uint64(v.U8())
	case types.U16:
		return uint64(v.U16())
	case types.U32:
		return uint64(v.U32())
	default:
		return v.U64()
	}
}

func (f *formatter) float(n float64, bits int) {
	switch {
	case math.IsNaN(n):
		f.put("nan")
	case math.IsInf(n, 1):
		f.put("inf")
	case math.IsInf(n, -1):
		f.put("-inf")
	default:
		f.out = strconv.AppendFloat(f.out, n, 'g', -1, bits)
	}
}

func (f *formatter) string(s string) {
	f.put(`"`)
	for _, r := range s {
		if len(f.out) > maxFormatted {
			return
		}
		f.character(r, '"')
	}
	f.put(`"`)
}

// character writes a character between quotation marks, in a form that does nothing to a terminal.
func (f *formatter) character(r, quote rune) {
	if i := strings.IndexRune(escaped, r); i >= 0 && (r == quote || r == '\\' || r < ' ') {
		f.out = append(f.out, '\\', escapes[i])
		return
	}
	if !unicode.IsPrint(r) {
		f.put(`\u{` + strconv.FormatInt(int64(r), 16) + "}")
		return
	}
	f.out = append(f.out, string(r)...)
}

func (f *formatter) list(t *types.Type, v abi.Value) {
	if t.Elem.Kind == types.U8 && t.Length == 0 {
		b := v.Bytes()
		f.sequence("[", "]", len(b), func(i int) { f.out = strconv.AppendUint(f.out, uint64(b[i]), 10) })
		return
	}
	l := v.List()
	f.sequence("[", "]", len(l), func(i int) { f.value(t.Elem, l[i]) })
}

// record writes a record's fields, but for options that are none.
func (f *formatter) record(t *types.Type, v abi.Value) {
	var given []int
	for i, field := range t.Fields {
		if field.Type.Kind != types.Option || v.Field(i).Case() != 0 {
			given = append(given, i)
		}
	}
	if len(given) == 0 {
		f.put("{:}")
		return
	}
	f.sequence("{", "}", len(given), func(i int) {
		field := t.Fields[given[i]]
		f.put(field.Name + ": ")
		f.value(field.Type, v.Field(given[i]))
	})
}

func (f *formatter) flags(t *types.Type, v abi.Value) {
	var set []string
	for i, label := range t.Labels {
		if v.Flags()>>i&1 != 0 {
			set = append(set, label)
		}
	}
	f.sequence("{", "}", len(set), func(i int) { f.put(set[i]) })
}

func (f *formatter) caseOf(name string) {
	if keywords[name] {
		f.put("%")
	}
	f.put(name)
}

func (f *formatter) payload(t *types.Type, v abi.Value) {
	if t == nil {
		return
	}
	f.put("(")
	f.value(t, v.Payload())
	f.put(")")
}

func (f *formatter) sequence(open, end string, n int, item func(int)) {
	f.put(open)
	for i := range n {
		if len(f.out) > maxFormatted {
			return
		}
		if i > 0 {
			f.put(", ")
		}
		item(i)
	}
	f.put(end)
}
