package wit

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// token is what the lexer found. WIT, "Lexical structure".
type token uint8

const (
	tokenEOF     token = iota
	tokenID            // an identifier or keyword
	tokenEscaped       // an identifier after a %: never a keyword
	tokenNumber        // a version or an integer: begins with a digit
	tokenString
	tokenArrow // ->
	tokenPunct // one character
)

// position is a place in a source, both from 1; columns count characters.
type position struct{ line, column int }

func (p position) String() string { return fmt.Sprintf("%d:%d", p.line, p.column) }

// failure is an error at a place in a source.
type failure struct {
	position
	message string
}

func (f *failure) Error() string { return f.position.String() + ": " + f.message }

func (p position) errorf(format string, args ...any) error {
	return &failure{p, fmt.Sprintf(format, args...)}
}

// lexer cuts a source into tokens; the current one is in its fields.
type lexer struct {
	source string
	at     int // where the rest of the source begins
	next   position

	token token
	text  string // of the token; of an escaped identifier without the %
	start int
	position
}

func newLexer(source string) *lexer {
	return &lexer{source: source, next: position{1, 1}}
}

// advance goes to the next token.
func (l *lexer) advance() error {
	if err := l.skipSpace(); err != nil {
		return err
	}
	l.start, l.position = l.at, l.next
	if l.at == len(l.source) {
		l.token, l.text = tokenEOF, ""
		return nil
	}
	switch c := l.source[l.at]; {
	case c == '%':
		l.take(1)
		l.token, l.text = tokenEscaped, l.takeWhile(isLabelByte)
		return l.checkLabel()
	case isLetter(c):
		l.token, l.text = tokenID, l.takeWhile(isLabelByte)
		return l.checkLabel()
	case isDigit(c):
		return l.number()
	case c == '"':
		return l.quoted()
	case strings.HasPrefix(l.source[l.at:], "->"):
		l.token, l.text = tokenArrow, l.take(2)
	case strings.IndexByte("=,:;(){}<>*/.@_", c) >= 0:
		l.token, l.text = tokenPunct, l.take(1)
	default:
		r, size := utf8.DecodeRuneInString(l.source[l.at:])
		if r == utf8.RuneError && size == 1 {
			return l.errorf("text is not UTF-8")
		}
		return l.errorf("unexpected character %q", r)
	}
	return nil
}

// take takes n bytes.
func (l *lexer) take(n int) string {
	s := l.source[l.at : l.at+n]
	l.at += n
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		l.next.line += strings.Count(s, "\n")
		l.next.column, s = 1, s[i+1:]
	}
	l.next.column += utf8.RuneCountInString(s)
	return l.source[l.at-n : l.at]
}

func (l *lexer) takeWhile(in func(byte) bool) string {
	n := 0
	for l.at+n < len(l.source) && in(l.source[l.at+n]) {
		n++
	}
	return l.take(n)
}

// number takes an integer or a version: the full stop of "@0.2.0.{error}" is not part of it.
func (l *lexer) number() error {
	rest := l.source[l.at:]
	n := 0
	for n < len(rest) && (isLabelByte(rest[n]) || rest[n] == '.' || rest[n] == '+') {
		n++
	}
	l.token, l.text = tokenNumber, l.take(len(strings.TrimRight(rest[:n], ".")))
	return nil
}

// quoted takes a string. Only worlds have them, which are skipped, so what is in it does not matter.
func (l *lexer) quoted() error {
	rest := l.source[l.at:]
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			l.token, l.text = tokenString, l.take(i+1)
			return nil
		}
	}
	return l.errorf("a string that does not end")
}

// skipSpace goes over white space and comments. Block comments nest.
func (l *lexer) skipSpace() error {
	for l.at < len(l.source) {
		rest := l.source[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.takeWhile(func(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 })
		case strings.HasPrefix(rest, "//"):
			l.takeWhile(func(c byte) bool { return c != '\n' })
		case strings.HasPrefix(rest, "/*"):
			n := blockComment(rest)
			if n == 0 {
				return l.next.errorf("a comment that does not end")
			}
			l.take(n)
		default:
			return nil
		}
	}
	return nil
}

// blockComment is the length of the block comment that s begins with; 0 if it has no end.
func blockComment(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// checkLabel checks an identifier: words with hyphens between them, each all in lower or all in upper case, the first beginning with a
// letter. Component model, Explainer, "Import and export names", label.
func (l *lexer) checkLabel() error {
	if len(l.text) > maxName {
		return l.errorf("a name of %d bytes: more than %d", len(l.text), maxName)
	}
	if !isLabel(l.text) {
		return l.errorf("%q is not a name: names are words of one case with a hyphen between them, beginning with a letter", l.text)
	}
	return nil
}

func isLabel(s string) bool {
	if s == "" || !isLetter(s[0]) {
		return false
	}
	for word := range strings.SplitSeq(s, "-") {
		if word == "" || word != strings.ToLower(word) && word != strings.ToUpper(word) {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool    { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool     { return '0' <= c && c <= '9' }
func isLabelByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '-' }
