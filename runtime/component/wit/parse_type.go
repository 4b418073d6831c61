package wit

import "strconv"

// arities are the types that take others: how many at least and at most.
var arities = map[string][2]int{"tuple": {1, maxTypeSize}, "list": {1, 1}, "option": {1, 1}, "result": {0, 2}, "own": {1, 1}, "borrow": {1, 1}}

func (p *parser) ty() (*expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.errorf("types in types deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	e := &expression{position: p.position, text: p.text, named: p.token == tokenEscaped || !keywords[p.text]}
	arity, generic := arities[p.text]
	switch {
	case p.token == tokenID && (p.text == "future" || p.text == "stream" || p.text == "map"):
		return nil, p.errorf("%s: not supported", p.text)
	case e.named:
		_, err := p.id("a type")
		return e, err
	case !generic && !isPrimitive(e.text):
		return nil, p.unexpected("a type")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !generic || arity[0] == 0 && !p.is("<") {
		return e, nil
	}
	err := p.list("<", ">", func() error { return p.typeArgument(e) })
	if err != nil {
		return nil, err
	}
	if n := len(e.args); n < max(arity[0], 1) || n > arity[1] {
		return nil, e.errorf("%s of %d types", e.text, n)
	}
	if e.text == "result" && len(e.args) == 1 && e.args[0] == nil {
		return nil, e.errorf("result<_>: where neither has a type, write result")
	}
	if (e.text == "own" || e.text == "borrow") && !e.args[0].named {
		return nil, e.errorf("%s of %s, which is not a resource", e.text, e.args[0].text)
	}
	return e, nil
}

// typeArgument reads one of the types that a type takes, or the length of a list.
func (p *parser) typeArgument(e *expression) error {
	if e.text == "result" && len(e.args) == 0 && p.is("_") {
		e.args = append(e.args, nil)
		return p.advance()
	}
	if e.text == "list" && len(e.args) == 1 && e.length == 0 {
		n, err := strconv.ParseUint(p.text, 10, 32)
		if err != nil || n == 0 {
			return p.unexpected("a length")
		}
		e.length = uint32(n)
		return p.advance()
	}
	arg, err := p.ty()
	e.args = append(e.args, arg)
	return err
}
