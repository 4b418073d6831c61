package wit

func (p *parser) interfaceDefinition(i *declaredInterface) error {
	if err := p.gate(); err != nil {
		return err
	}
	if p.token == tokenID {
		switch p.text {
		case "use":
			return p.useItem(i)
		case "type", "record", "variant", "flags", "enum", "resource":
			return p.typedefItem(i)
		}
	}
	f := &declaredFunc{position: p.position}
	var err error
	if f.name, err = p.id("a type, a function or }"); err != nil {
		return err
	}
	i.funcs = append(i.funcs, f)
	if err := p.expect(":"); err != nil {
		return err
	}
	if err := p.funcType(f); err != nil {
		return err
	}
	return p.expect(";")
}

func (p *parser) useItem(i *declaredInterface) error {
	if err := p.advance(); err != nil {
		return err
	}
	from, err := p.usePath()
	if err != nil {
		return err
	}
	if err := p.expect("."); err != nil {
		return err
	}
	err = p.list("{", "}", func() error {
		t := &declaredType{position: p.position, what: "use", from: from}
		if t.orig, err = p.id("a type"); err != nil {
			return err
		}
		t.name = t.orig
		if ok, err := p.accept("as"); err != nil {
			return err
		} else if ok {
			if t.name, err = p.id("a name"); err != nil {
				return err
			}
		}
		i.types = append(i.types, t)
		return nil
	})
	if err != nil {
		return err
	}
	return p.expect(";")
}

func (p *parser) typedefItem(i *declaredInterface) error {
	t := &declaredType{what: p.text}
	if err := p.advance(); err != nil {
		return err
	}
	t.position = p.position
	var err error
	if t.name, err = p.id("the type's name"); err != nil {
		return err
	}
	i.types = append(i.types, t)
	switch t.what {
	case "type":
		if err := p.expect("="); err != nil {
			return err
		}
		if t.alias, err = p.ty(); err != nil {
			return err
		}
		return p.expect(";")
	case "resource":
		return p.resourceItem(i, t)
	case "record":
		return p.list("{", "}", func() error { return p.namedType(&t.fields) })
	case "variant":
		return p.list("{", "}", func() error { return p.variantCase(&t.fields) })
	default: // flags, enum
		return p.list("{", "}", func() error {
			label, err := p.id("a name")
			t.labels = append(t.labels, label)
			return err
		})
	}
}

func (p *parser) variantCase(cases *[]field) error {
	c := field{position: p.position}
	var err error
	if c.name, err = p.id("a case"); err != nil {
		return err
	}
	if ok, err := p.accept("("); err != nil {
		return err
	} else if ok {
		if c.kind, err = p.ty(); err != nil {
			return err
		}
		if err := p.expect(")"); err != nil {
			return err
		}
	}
	*cases = append(*cases, c)
	return nil
}

// namedType reads a field of a record or a parameter.
func (p *parser) namedType(fields *[]field) error {
	f := field{position: p.position}
	var err error
	if f.name, err = p.id("a name"); err != nil {
		return err
	}
	if err := p.expect(":"); err != nil {
		return err
	}
	f.kind, err = p.ty()
	*fields = append(*fields, f)
	return err
}

// resourceItem reads what follows a resource's name. Its functions become functions of the interface, under the names that their
// encoding has. WIT, "Item: resource".
func (p *parser) resourceItem(i *declaredInterface, t *declaredType) error {
	if ok, err := p.accept(";"); ok || err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	for !p.is("}") {
		if err := p.gate(); err != nil {
			return err
		}
		f, err := p.resourceMethod(t)
		if err != nil {
			return err
		}
		i.funcs = append(i.funcs, f)
		if err := p.expect(";"); err != nil {
			return err
		}
	}
	return p.advance()
}

func (p *parser) resourceMethod(t *declaredType) (*declaredFunc, error) {
	f := &declaredFunc{position: p.position}
	if ok, err := p.accept("constructor"); err != nil {
		return nil, err
	} else if ok {
		f.name, f.constructor = "[constructor]"+t.name, t.name
		if err := p.signature(f); err != nil {
			return nil, err
		}
		if f.result == nil {
			f.result = &expression{position: f.position, text: t.name, named: true}
		}
		return f, nil
	}
	name, err := p.id("a method, constructor or }")
	if err != nil {
		return nil, err
	}
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	if ok, err := p.accept("static"); err != nil {
		return nil, err
	} else if ok {
		f.name = "[static]" + t.name + "." + name
		return f, p.funcType(f)
	}
	f.name = "[method]" + t.name + "." + name
	self := &expression{position: f.position, text: t.name, named: true}
	f.params = []field{{f.position, "self", &expression{position: f.position, text: "borrow", args: []*expression{self}}}}
	return f, p.funcType(f)
}

func (p *parser) funcType(f *declaredFunc) error {
	if p.is("async") {
		return p.errorf("async functions: not supported (mayfly has WASI 0.2)")
	}
	if err := p.expect("func"); err != nil {
		return err
	}
	return p.signature(f)
}

// signature reads parameters and result.
func (p *parser) signature(f *declaredFunc) error {
	err := p.list("(", ")", func() error { return p.namedType(&f.params) })
	if err != nil {
		return err
	}
	if p.token != tokenArrow {
		return nil
	}
	if err := p.advance(); err != nil {
		return err
	}
	f.result, err = p.ty()
	return err
}
