package wit

import (
	"strconv"
	"strings"
)

// keywords cannot be identifiers without a %. WIT, "Keywords".
var keywords = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`as async bool borrow char constructor enum export f32 f64 flags from func future import include
		interface list map option own package record resource result s16 s32 s64 s8 static stream string tuple type u16 u32 u64 u8 use
		variant with world`) {
		m[w] = true
	}
	return m
}()

// parser makes syntax of tokens. Its methods are named after the rules of the grammar.
type parser struct {
	*lexer
	depth int
}

// parseDocument reads a source. It returns as much of the document as is known when there is an error: its name, for the message.
func parseDocument(source string) (*document, error) {
	d := &document{position: position{1, 1}}
	if len(source) > maxSource {
		return d, d.errorf("%d bytes: more than %d", len(source), maxSource)
	}
	p := &parser{lexer: newLexer(source)}
	if err := p.advance(); err != nil {
		return d, err
	}
	if err := p.packageDecl(d); err != nil {
		return d, err
	}
	for p.token != tokenEOF {
		if err := p.packageItem(d); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (p *parser) packageDecl(d *document) error {
	d.position = p.position
	if err := p.expect("package"); err != nil {
		return err
	}
	namespace, err := p.id("a package's namespace")
	if err != nil {
		return err
	}
	if err := p.expect(":"); err != nil {
		return err
	}
	name, err := p.id("a package's name")
	if err != nil {
		return err
	}
	d.name = namespace + ":" + name
	if d.version, err = p.version(); err != nil {
		return err
	}
	return p.expect(";")
}

// version reads what may follow a package's name.
func (p *parser) version() (string, error) {
	ok, err := p.accept("@")
	if !ok || err != nil {
		return "", err
	}
	v := p.text
	if p.token != tokenNumber || strings.Count(v, ".") < 2 || len(v) > maxName {
		return "", p.unexpected("a version such as 0.2.0")
	}
	return v, p.advance()
}

func (p *parser) packageItem(d *document) error {
	if err := p.gate(); err != nil {
		return err
	}
	switch {
	case p.is("use"):
		return p.toplevelUse(d)
	case p.is("interface"):
		return p.interfaceItem(d)
	case p.is("world"):
		return p.skipWorld()
	case p.is("package"):
		return p.errorf("a package in a source that has one: not supported, give each package a source of its own")
	}
	return p.unexpected("interface, world or use")
}

// gate skips feature gates. WIT, "Feature gates".
func (p *parser) gate() error {
	for p.is("@") {
		if err := p.advance(); err != nil {
			return err
		}
		field := "version"
		switch {
		case p.is("since"), p.is("deprecated"):
		case p.is("unstable"):
			field = "feature"
		default:
			return p.unexpected("since, unstable or deprecated")
		}
		if err := p.advance(); err != nil {
			return err
		}
		for _, want := range []string{"(", field, "="} {
			if err := p.expect(want); err != nil {
				return err
			}
		}
		if field == "version" && p.token != tokenNumber || field == "feature" && p.token != tokenID && p.token != tokenEscaped {
			return p.unexpected("a " + field)
		}
		if err := p.advance(); err != nil {
			return err
		}
		if err := p.expect(")"); err != nil {
			return err
		}
	}
	return nil
}

// skipWorld goes behind a world.
func (p *parser) skipWorld() error {
	if err := p.advance(); err != nil {
		return err
	}
	if _, err := p.id("the world's name"); err != nil {
		return err
	}
	if !p.is("{") {
		return p.unexpected("{")
	}
	for depth := 0; ; {
		switch {
		case p.is("{"):
			depth++
		case p.is("}"):
			depth--
		case p.token == tokenEOF:
			return p.unexpected("} at the end of the world")
		}
		if err := p.advance(); depth == 0 || err != nil {
			return err
		}
	}
}

func (p *parser) toplevelUse(d *document) error {
	if err := p.advance(); err != nil {
		return err
	}
	from, err := p.usePath()
	if err != nil {
		return err
	}
	use := topUse{path: from, as: from.name}
	if ok, err := p.accept("as"); err != nil {
		return err
	} else if ok {
		if use.as, err = p.id("a name"); err != nil {
			return err
		}
	}
	d.uses = append(d.uses, use)
	return p.expect(";")
}

func (p *parser) usePath() (path, error) {
	from := path{position: p.position}
	name, err := p.id("an interface")
	if err != nil {
		return from, err
	}
	from.name = name
	if ok, err := p.accept(":"); !ok || err != nil {
		return from, err
	}
	pkg, err := p.id("a package's name")
	if err != nil {
		return from, err
	}
	from.pkg = name + ":" + pkg
	if err := p.expect("/"); err != nil {
		return from, err
	}
	if from.name, err = p.id("an interface"); err != nil {
		return from, err
	}
	from.version, err = p.version()
	return from, err
}

func (p *parser) interfaceItem(d *document) error {
	if err := p.advance(); err != nil {
		return err
	}
	i := &declaredInterface{position: p.position}
	d.interfaces = append(d.interfaces, i)
	var err error
	if i.name, err = p.id("the interface's name"); err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	for !p.is("}") {
		if err := p.interfaceDefinition(i); err != nil {
			return err
		}
	}
	return p.advance()
}

// list reads items with commas between them; one more may follow the last.
func (p *parser) list(open, end string, item func() error) error {
	if err := p.expect(open); err != nil {
		return err
	}
	for !p.is(end) {
		if err := item(); err != nil {
			return err
		}
		if ok, err := p.accept(","); err != nil {
			return err
		} else if !ok {
			break
		}
	}
	return p.expect(end)
}

// is reports whether the token is a certain keyword or punctuation.
func (p *parser) is(text string) bool {
	return p.text == text && (p.token == tokenID || p.token == tokenPunct)
}

// accept goes behind a keyword or punctuation if it is the next one.
func (p *parser) accept(text string) (bool, error) {
	if !p.is(text) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(text string) error {
	ok, err := p.accept(text)
	if !ok && err == nil {
		return p.unexpected(text)
	}
	return err
}

// id reads an identifier.
func (p *parser) id(what string) (string, error) {
	switch {
	case p.token == tokenID && keywords[p.text]:
		return "", p.errorf("%s is a keyword, expected %s: a name that is a keyword begins with %%", p.text, what)
	case p.token != tokenID && p.token != tokenEscaped:
		return "", p.unexpected(what)
	}
	name := p.text
	return name, p.advance()
}

func (p *parser) unexpected(want string) error {
	found := "the end"
	if p.token != tokenEOF {
		found = strconv.Quote(p.source[p.start:min(p.at, p.start+maxName)])
	}
	return p.errorf("expected %s, found %s", want, found)
}
