package wave

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/wit"
)

// Bounds of what is parsed.
const (
	maxText   = 1 << 20 // bytes
	maxValues = 1 << 20 // values in one another; a short text can leave many options out
	maxDepth  = 256     // of values in values
)

// Parse reads a value of a type. Errors say line and column, and what was expected there.
func Parse(t *types.Type, text string) (abi.Value, error) {
	p, err := newParser(text)
	if err != nil {
		return abi.Value{}, err
	}
	v, err := p.value(t)
	if err != nil {
		return abi.Value{}, err
	}
	return v, p.end()
}

// parser reads values from a text, from the offset at.
type parser struct {
	text   string
	at     int
	values int
	depth  int
}

func newParser(text string) (*parser, error) {
	p := &parser{text: text}
	if len(text) > maxText {
		return nil, fmt.Errorf("%d bytes of values: more than %d", len(text), maxText)
	}
	for size := 0; p.at < len(text); p.at += size {
		var r rune
		if r, size = utf8.DecodeRuneInString(text[p.at:]); r == utf8.RuneError && size == 1 {
			return nil, p.errorf("text is not UTF-8")
		}
	}
	p.at = 0
	return p, nil
}

// errorf makes an error at the place where the parser is.
func (p *parser) errorf(format string, args ...any) error {
	before := p.text[:p.at]
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Errorf("%d:%d: %w", line+1, column+1, fmt.Errorf(format, args...))
}

// unexpected is an error about what comes next.
func (p *parser) unexpected(want string) error {
	rest := p.text[p.at:]
	if rest == "" {
		return p.errorf("expected %s, found the end", want)
	}
	n := max(len(label(rest)), len(number(rest)))
	if n == 0 {
		_, n = utf8.DecodeRuneInString(rest)
	}
	return p.errorf("expected %s, found %q", want, rest[:min(n, 64)])
}

// value reads a value of a type.
func (p *parser) value(t *types.Type) (abi.Value, error) {
	p.space()
	if p.values++; p.values > maxValues {
		return abi.Value{}, p.errorf("more than %d values", maxValues)
	}
	if p.depth++; p.depth > maxDepth {
		return abi.Value{}, p.errorf("values in values deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	switch t.Kind {
	case types.Bool:
		return p.boolean()
	case types.S8, types.S16, types.S32, types.S64:
		return p.signed(t.Kind)
	case types.U8, types.U16, types.U32, types.U64:
		return p.unsigned(t.Kind)
	case types.F32, types.F64:
		return p.float(t.Kind)
	case types.Char:
		return p.char()
	case types.String:
		s, err := p.string()
		return abi.String(s), err
	case types.List:
		return p.list(t)
	case types.Tuple:
		return p.tuple(t)
	case types.Record:
		return p.record(t)
	case types.Flags:
		return p.flags(t)
	case types.Enum:
		return p.enum(t)
	case types.Variant:
		return p.variant(t)
	case types.Option:
		return p.option(t)
	case types.Result:
		return p.result(t)
	}
	return abi.Value{}, p.errorf("a resource is expected, and handles have no text")
}

func (p *parser) list(t *types.Type) (abi.Value, error) {
	octets := t.Elem.Kind == types.U8 && t.Length == 0
	var bytes []byte
	var elements []abi.Value
	start := p.at
	if !p.take("[") {
		return abi.Value{}, p.unexpected(wit.Type(t))
	}
	err := p.sequence("]", func() error {
		v, err := p.value(t.Elem)
		if octets {
			bytes = append(bytes, v.U8())
		} else {
			elements = append(elements, v)
		}
		return err
	})
	if err != nil {
		return abi.Value{}, err
	}
	if t.Length != 0 && uint64(t.Length) != uint64(len(elements)) {
		p.at = start
		return abi.Value{}, p.errorf("%d elements of a list of %d", len(elements), t.Length)
	}
	if octets {
		return abi.Bytes(bytes), nil
	}
	return abi.List(elements...), nil
}

func (p *parser) tuple(t *types.Type) (abi.Value, error) {
	var elements []abi.Value
	start := p.at
	if !p.take("(") {
		return abi.Value{}, p.unexpected(wit.Type(t))
	}
	err := p.sequence(")", func() error {
		if len(elements) == len(t.Fields) {
			return p.unexpected(")")
		}
		v, err := p.value(t.Fields[len(elements)].Type)
		elements = append(elements, v)
		return err
	})
	if err == nil && len(elements) < len(t.Fields) {
		p.at = start
		err = p.errorf("%d elements of a tuple of %d", len(elements), len(t.Fields))
	}
	return abi.Tuple(elements...), err
}

// record reads fields in any order. Options may be left out: they are none.
func (p *parser) record(t *types.Type) (abi.Value, error) {
	start := p.at
	if p.values += len(t.Fields); p.values > maxValues {
		return abi.Value{}, p.errorf("more than %d values", maxValues)
	}
	fields := make([]abi.Value, len(t.Fields))
	given := make([]bool, len(t.Fields))
	if !p.take("{") {
		return abi.Value{}, p.unexpected(wit.Type(t))
	}
	field := func() error {
		i, err := p.member("a field", given, func(i int) string { return t.Fields[i].Name })
		if err != nil {
			return err
		}
		if p.space(); !p.take(":") {
			return p.unexpected(":")
		}
		fields[i], err = p.value(t.Fields[i].Type)
		return err
	}
	if !p.noFields() {
		if strings.HasPrefix(p.text[p.at:], "}") {
			return abi.Value{}, p.errorf("expected a field; a record without any is {:}")
		}
		if err := p.sequence("}", field); err != nil {
			return abi.Value{}, err
		}
	}
	for i, f := range t.Fields {
		if !given[i] && f.Type.Kind != types.Option {
			p.at = start
			return abi.Value{}, p.errorf("no field %s: expected %s", f.Name, wit.Type(t))
		}
	}
	return abi.Record(fields...), nil
}

// noFields reads the rest of a record without fields, "{:}", if that is what comes.
func (p *parser) noFields() bool {
	p.space()
	before := p.at
	if p.take(":") {
		if p.space(); p.take("}") {
			return true
		}
	}
	p.at = before
	return false
}

func (p *parser) flags(t *types.Type) (abi.Value, error) {
	var bits uint64
	given := make([]bool, len(t.Labels))
	if !p.take("{") {
		return abi.Value{}, p.unexpected(wit.Type(t))
	}
	err := p.sequence("}", func() error {
		i, err := p.member("a flag", given, func(i int) string { return t.Labels[i] })
		if err == nil {
			bits |= 1 << i
		}
		return err
	})
	return abi.Flags(bits), err
}

// member reads one of some names, each of which may occur once.
func (p *parser) member(what string, given []bool, name func(int) string) (int, error) {
	l := label(p.text[p.at:])
	for i := range given {
		if l == "" || strings.TrimPrefix(l, "%") != name(i) {
			continue
		}
		if given[i] {
			return 0, p.errorf("%s occurs twice", l)
		}
		given[i] = true
		p.at += len(l)
		return i, nil
	}
	return 0, p.unexpected(what + " (" + oneOf(len(given), name) + ")")
}

func (p *parser) enum(t *types.Type) (abi.Value, error) {
	i, err := p.caseOf(len(t.Labels), func(i int) string { return t.Labels[i] })
	return abi.Enum(i), err
}

func (p *parser) variant(t *types.Type) (abi.Value, error) {
	i, err := p.caseOf(len(t.Cases), func(i int) string { return t.Cases[i].Name })
	if err != nil {
		return abi.Value{}, err
	}
	return p.payload(i, t.Cases[i].Name, t.Cases[i].Type)
}

// caseOf reads the name of a case. One that is a keyword has a % before it.
func (p *parser) caseOf(n int, name func(int) string) (int, error) {
	l := label(p.text[p.at:])
	for i := range n {
		if l == "" || strings.TrimPrefix(l, "%") != name(i) {
			continue
		}
		if keywords[l] {
			return 0, p.errorf("%s is a keyword: for the case of that name, write %%%s", l, l)
		}
		p.at += len(l)
		return i, nil
	}
	return 0, p.unexpected(oneOf(n, name))
}

// option reads some(x) or none; or just x, where that cannot be mistaken.
func (p *parser) option(t *types.Type) (abi.Value, error) {
	switch l := label(p.text[p.at:]); {
	case l == "none" || l == "some":
		p.at += len(l)
		if l == "none" {
			return abi.None(), nil
		}
		return p.payload(1, l, t.Elem)
	case flat(t.Elem):
		v, err := p.value(t.Elem)
		return abi.Some(v), err
	}
	return abi.Value{}, p.unexpected("some(…) or none")
}

// result reads ok(x) or err(x), without a payload ok or err; or just x, where that cannot be mistaken.
func (p *parser) result(t *types.Type) (abi.Value, error) {
	switch l := label(p.text[p.at:]); {
	case l == "ok":
		p.at += len(l)
		return p.payload(0, l, t.OK)
	case l == "err":
		p.at += len(l)
		return p.payload(1, l, t.Err)
	case t.OK != nil && flat(t.OK):
		v, err := p.value(t.OK)
		return abi.OK(v), err
	}
	return abi.Value{}, p.unexpected("ok or err")
}

// flat reports whether the payload of an option or a good result can stand for it.
func flat(t *types.Type) bool { return t.Kind != types.Option && t.Kind != types.Result }

// payload reads what a case holds.
func (p *parser) payload(c int, name string, t *types.Type) (abi.Value, error) {
	if t == nil {
		return abi.Enum(c), nil
	}
	if p.space(); !p.take("(") {
		return abi.Value{}, p.unexpected("(" + wit.Type(t) + ") after " + name)
	}
	v, err := p.value(t)
	if err != nil {
		return abi.Value{}, err
	}
	if p.space(); !p.take(")") {
		return abi.Value{}, p.unexpected(")")
	}
	return abi.Variant(c, v), nil
}

// sequence reads what is between parentheses, brackets or braces: items with commas between them; one more may follow the last.
func (p *parser) sequence(end string, item func() error) error {
	for p.space(); !p.take(end); p.space() {
		if err := item(); err != nil {
			return err
		}
		if p.space(); p.take(",") {
			continue
		}
		if !p.take(end) {
			return p.unexpected(", or " + end)
		}
		return nil
	}
	return nil
}

// take goes behind s if that comes next.
func (p *parser) take(s string) bool {
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

// space goes over white space and comments.
func (p *parser) space() {
	for p.at < len(p.text) {
		switch rest := p.text[p.at:]; {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			p.at++
		case strings.HasPrefix(rest, "//"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				p.at += i
			} else {
				p.at = len(p.text)
			}
		default:
			return
		}
	}
}

// end makes sure that nothing follows.
func (p *parser) end() error {
	if p.space(); p.at < len(p.text) {
		return p.unexpected("the end")
	}
	return nil
}

// keywords are labels that cases must not be confused with.
var keywords = map[string]bool{"true": true, "false": true, "inf": true, "nan": true, "some": true, "none": true, "ok": true, "err": true}

// label is the label that a text begins with, with its %.
func label(s string) string {
	n := 0
	if strings.HasPrefix(s, "%") {
		n = 1
	}
	if n == len(s) || !isLetter(s[n]) {
		return ""
	}
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n]) || s[n] == '-') {
		n++
	}
	return s[:n]
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// oneOf lists names for a message, not too many.
func oneOf(n int, name func(int) string) string {
	const some = 20
	var all []string
	for i := range min(n, some) {
		all = append(all, name(i))
	}
	if n > some {
		all = append(all, "…")
	}
	return strings.Join(all, ", ")
}
