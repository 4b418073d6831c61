package wave

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

func (p *parser) boolean() (abi.Value, error) {
	switch l := label(p.text[p.at:]); l {
	case "true", "false":
		p.at += len(l)
		return abi.Bool(l == "true"), nil
	}
	return abi.Value{}, p.unexpected("true or false")
}

// bits are the sizes of numbers.
var bits = [...]int{types.S8: 8, types.U8: 8, types.S16: 16, types.U16: 16, types.S32: 32, types.U32: 32, types.S64: 64, types.U64: 64,
	types.F32: 32, types.F64: 64}

func (p *parser) signed(kind types.Kind) (abi.Value, error) {
	s, err := p.integer(kind)
	if err != nil {
		return abi.Value{}, err
	}
	n, err := strconv.ParseInt(s, 10, bits[kind])
	if err != nil {
		limit := int64(math.MaxInt64) >> (64 - bits[kind])
		return abi.Value{}, p.errorf("%s does not fit %s, which is from %d to %d", shorten(s), kind, -limit-1, limit)
	}
	p.at += len(s)
	switch kind {
	case types.S8:
		return abi.S8(int8(n)), nil
	case types.S16:
		return abi.S16(int16(n)), nil
	case types.S32:
		return abi.S32(int32(n)), nil
	default:
		return abi.S64(n), nil
	}
}

func (p *parser) unsigned(kind types.Kind) (abi.Value, error) {
	s, err := p.integer(kind)
	if err != nil {
		return abi.Value{}, err
	}
	digits := s
	if s == "-0" {
		digits = "0"
	}
	n, err := strconv.ParseUint(digits, 10, bits[kind])
	if err != nil {
		return abi.Value{}, p.errorf("%s does not fit %s, which is from 0 to %d", shorten(s), kind, uint64(math.MaxUint64)>>(64-bits[kind]))
	}
	p.at += len(s)
	switch kind {
	case types.U8:
		return abi.U8(uint8(n)), nil
	case types.U16:
		return abi.U16(uint16(n)), nil
	case types.U32:
		return abi.U32(uint32(n)), nil
	default:
		return abi.U64(n), nil
	}
}

// integer finds a whole number.
func (p *parser) integer(kind types.Kind) (string, error) {
	s := number(p.text[p.at:])
	if s == "" || strings.ContainsAny(s, ".eE") {
		return "", p.unexpected(kind.String())
	}
	return s, nil
}

func (p *parser) float(kind types.Kind) (abi.Value, error) {
	rest := p.text[p.at:]
	s := number(rest)
	switch {
	case s != "":
	case strings.HasPrefix(rest, "-") && label(rest[1:]) == "inf":
		s = "-inf"
	default:
		s = label(rest)
	}
	var f float64
	switch {
	case s == "nan":
		p.at += len(s)
		if kind == types.F32 {
			return abi.F32(math.Float32frombits(canonicalNaN32)), nil
		}
		return abi.F64(math.Float64frombits(canonicalNaN64)), nil
	case s == "inf":
		f = math.Inf(1)
	case s == "-inf":
		f = math.Inf(-1)
	case s == "" || s[0] != '-' && !isDigit(s[0]):
		return abi.Value{}, p.unexpected(kind.String())
	default:
		var err error
		if f, err = strconv.ParseFloat(s, bits[kind]); err != nil {
			return abi.Value{}, p.errorf("%s does not fit %s", shorten(s), kind)
		}
	}
	p.at += len(s)
	if kind == types.F32 {
		return abi.F32(float32(f)), nil
	}
	return abi.F64(f), nil
}

// Canonical ABI, CANONICAL_FLOAT32_NAN and CANONICAL_FLOAT64_NAN.
const (
	canonicalNaN32 = 0x7fc00000
	canonicalNaN64 = 0x7ff8000000000000
)

// number is the number that a text begins with, as JSON has it; empty if there is none.
func number(s string) string {
	n := 0
	digits := func() bool {
		start := n
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		return n > start
	}
	if strings.HasPrefix(s, "-") {
		n++
	}
	if strings.HasPrefix(s[n:], "0") {
		n++
	} else if !digits() {
		return ""
	}
	whole := n
	if strings.HasPrefix(s[n:], ".") {
		if n++; !digits() {
			return s[:whole]
		}
		whole = n
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		if n++; n < len(s) && (s[n] == '+' || s[n] == '-') {
			n++
		}
		if digits() {
			whole = n
		}
	}
	return s[:whole]
}

func (p *parser) char() (abi.Value, error) {
	if !p.take("'") {
		return abi.Value{}, p.unexpected("a character in ' '")
	}
	if strings.HasPrefix(p.text[p.at:], "'") {
		return abi.Value{}, p.unexpected("a character")
	}
	r, err := p.character()
	if err != nil {
		return abi.Value{}, err
	}
	if !p.take("'") {
		return abi.Value{}, p.unexpected("' after the character")
	}
	return abi.Char(r), nil
}

// character reads a character of a string or a char, which may be escaped.
func (p *parser) character() (rune, error) {
	rest := p.text[p.at:]
	switch {
	case rest == "":
		return 0, p.unexpected("a quotation mark")
	case rest[0] == '\n':
		return 0, p.errorf("a line that ends within quotation marks: write \\n")
	case rest[0] != '\\':
		r, size := utf8.DecodeRuneInString(rest)
		p.at += size
		return r, nil
	case len(rest) > 1:
		if i := strings.IndexByte(escapes, rest[1]); i >= 0 {
			p.at += 2
			return rune(escaped[i]), nil
		}
		if strings.HasPrefix(rest, `\u{`) {
			return p.codePoint()
		}
	}
	return 0, p.errorf(`expected one of \t \n \r \' \" \\ \u{…} for the \`)
}

// escapes are the letters of escapes, and what they stand for.
const (
	escapes = `tnr'"\`
	escaped = "\t\n\r'\"\\"
)

func (p *parser) codePoint() (rune, error) {
	digits, _, ok := strings.Cut(p.text[p.at+len(`\u{`):], "}")
	n, err := strconv.ParseUint(digits, 16, 32)
	if !ok || err != nil || strings.HasPrefix(digits, "+") || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return 0, p.errorf(`\u{%s} is not a character`, shorten(digits))
	}
	p.at += len(`\u{`) + len(digits) + len("}")
	return rune(n), nil
}

func (p *parser) string() (string, error) {
	if strings.HasPrefix(p.text[p.at:], "\"\"\"\n") || strings.HasPrefix(p.text[p.at:], "\"\"\"\r\n") {
		return p.multiline()
	}
	if !p.take(`"`) {
		return "", p.unexpected(`a string in " "`)
	}
	var b strings.Builder
	for !p.take(`"`) {
		r, err := p.character()
		if err != nil {
			return "", err
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

// multiline reads a string in threefold quotation marks: its lines lose as much indentation as the last one has.
func (p *parser) multiline() (string, error) {
	const marks = `"""`
	start := p.at
	p.at += len(marks)
	end := strings.Index(p.text[p.at:], marks)
	if end < 0 {
		p.at = start
		return "", p.errorf(`expected """ at the end of the string`)
	}
	body := p.text[p.at : p.at+end]
	last := strings.LastIndexByte(body, '\n')
	indent := body[last+1:]
	if strings.Trim(indent, " ") != "" {
		p.at += last + 1
		return "", p.errorf(`expected a line that only has """ at the end of the string`)
	}
	var b strings.Builder
	p.at += strings.IndexByte(body, '\n') + 1
	for first, stop := true, start+len(marks)+last; p.at <= stop; first = false {
		if !first {
			b.WriteByte('\n')
		}
		if !p.take(indent) {
			return "", p.errorf(`expected the indentation of the """ at the end`)
		}
		if err := p.line(&b); err != nil {
			return "", err
		}
	}
	p.at = start + len(marks) + end + len(marks)
	return b.String(), nil
}

// line reads the rest of a line of a multiline string, and goes behind its end.
func (p *parser) line(b *strings.Builder) error {
	for !p.take("\n") && !p.take("\r\n") {
		r, err := p.character()
		if err != nil {
			return err
		}
		b.WriteRune(r)
	}
	return nil
}

// shorten makes something that was found fit for a message.
func shorten(s string) string {
	const most = 40
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
