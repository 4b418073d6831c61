package binary

// sort reads what an index refers to. Binary.md, "sort".
func (r *reader) sort() Sort {
	at := r.pos
	switch c := r.byte(); c {
	case 0x00:
		return r.coreSort()
	case 0x01:
		return SortFunc
	case 0x02:
		r.refuse(at, "values are not supported")
	case 0x03:
		return SortType
	case 0x04:
		return SortComponent
	case 0x05:
		return SortInstance
	default:
		r.failAt(at, "sort %#02x: not known", c)
	}
	return SortFunc
}

// coreSort reads what a core index refers to. Binary.md, "core:sort".
func (r *reader) coreSort() Sort {
	at := r.pos
	switch c := r.byte(); c {
	case 0x00:
		return SortCoreFunc
	case 0x01:
		return SortCoreTable
	case 0x02:
		return SortCoreMemory
	case 0x03:
		return SortCoreGlobal
	case 0x04:
		return SortCoreTag
	case 0x10:
		return SortCoreType
	case 0x11:
		return SortCoreModule
	case 0x12:
		return SortCoreInstance
	default:
		r.failAt(at, "core sort %#02x: not known", c)
	}
	return SortCoreFunc
}

// coreInstance reads an instance of a core module. Binary.md, "core:instance".
func (r *reader) coreInstance() Definition {
	at := r.here()
	switch c := r.byte(); c {
	case 0x00:
		return &CoreInstantiate{Pos: at, Module: r.u32(), Args: list(r, "arguments", maxItems, (*reader).coreArg)}
	case 0x01:
		return &CoreInline{Pos: at, Exports: list(r, "exports", maxItems, func(r *reader) InlineExport {
			name := ExternName{Name: r.name()}
			at := r.pos
			sort := r.coreSort()
			if sort > SortCoreTag {
				r.failAt(at, "a core instance exports no %s", sort)
			}
			return InlineExport{name, SortIndex{sort, r.u32()}}
		})}
	default:
		r.failAt(r.pos-1, "core instance of kind %#02x: not known", c)
		return &CoreInline{Pos: at}
	}
}

func (r *reader) coreArg() CoreArg {
	name := r.name()
	r.expect(0x12, "core sort of an argument")
	return CoreArg{Name: name, Instance: r.u32()}
}

// instance reads an instance of a component. Binary.md, "instance".
func (r *reader) instance() Definition {
	at := r.here()
	switch c := r.byte(); c {
	case 0x00:
		return &Instantiate{Pos: at, Component: r.u32(), Args: list(r, "arguments", maxItems, func(r *reader) Arg {
			return Arg{r.name(), SortIndex{r.externSort(), r.u32()}}
		})}
	case 0x01:
		return &Inline{Pos: at, Exports: list(r, "exports", maxItems, func(r *reader) InlineExport {
			return InlineExport{r.externName(), SortIndex{r.externSort(), r.u32()}}
		})}
	default:
		r.failAt(r.pos-1, "instance of kind %#02x: not known", c)
		return &Inline{Pos: at}
	}
}

// externSort reads a sort that imports and exports may have: of the core ones that is only the module.
func (r *reader) externSort() Sort {
	at := r.pos
	s := r.sort()
	if s >= SortCoreFunc && s != SortCoreModule {
		r.failAt(at, "a %s cannot be imported or exported; of core sorts only a core module can", s)
	}
	return s
}

// alias reads an alias. Binary.md, "alias".
func (r *reader) alias() Definition {
	at := r.here()
	start := r.pos
	s := r.sort()
	core := s >= SortCoreFunc
	switch c := r.byte(); c {
	case 0x00:
		if core && s != SortCoreModule {
			r.failAt(start, "an instance exports no %s", s)
		}
		return &AliasExport{Pos: at, Sort: s, Instance: r.u32(), Name: r.name()}
	case 0x01:
		if s < SortCoreFunc || s > SortCoreTag {
			r.failAt(start, "a core instance exports no %s", s)
		}
		return &AliasCoreExport{Pos: at, Sort: s, Instance: r.u32(), Name: r.name()}
	case 0x02:
		if s != SortCoreModule && s != SortCoreType && s != SortType && s != SortComponent {
			r.failAt(start, "an outer alias cannot be of a %s", s)
		}
		return &AliasOuter{Pos: at, Sort: s, Count: r.u32(), Index: r.u32()}
	default:
		r.failAt(r.pos-1, "alias of kind %#02x: not known", c)
		return &AliasOuter{Pos: at}
	}
}

// externName reads the name of an import or export and what is said about it. Binary.md, "nameattributes".
func (r *reader) externName() ExternName {
	at := r.pos
	form := r.byte()
	if form > 2 {
		r.failAt(at, "name of kind %#02x: not known", form)
	}
	n := ExternName{Name: r.name()}
	if form < 2 {
		return n
	}
	for left := r.count("attributes", maxOptions); left > 0 && r.err == nil; left-- {
		at := r.pos
		kind := r.byte()
		if kind > 2 {
			r.failAt(at, "attribute %#02x of a name: not known", kind)
			break
		}
		bit := attribute(1) << kind
		if n.attributes&bit != 0 {
			r.failAt(at, "name %q has an attribute twice", n.Name)
		}
		n.attributes |= bit
		switch v := r.name(); bit {
		case attrImplements:
			n.Implements = v
		case attrVersionSuffix:
			n.VersionSuffix = v
		case attrExternalID:
			n.ExternalID = v
		}
	}
	return n
}

// externType reads the type of an import or export. Binary.md, "externtype".
func (r *reader) externType() ExternType {
	at := r.pos
	switch s := r.externSort(); s {
	case SortCoreModule:
		return ExternType{Sort: s, Index: r.u32()}
	case SortType:
		bound := r.pos
		switch c := r.byte(); c {
		case 0x00:
			return ExternType{Sort: s, Index: r.u32()}
		case 0x01:
			return ExternType{Sort: s, SubResource: true}
		default:
			r.failAt(bound, "bound %#02x of a type: not known", c)
		}
	case SortFunc, SortComponent, SortInstance:
		return ExternType{Sort: s, Index: r.u32()}
	default:
		r.failAt(at, "a %s cannot be imported or exported", s)
	}
	return ExternType{}
}

func (r *reader) importDecl() *Import {
	return &Import{Pos: r.here(), ExternName: r.externName(), Type: r.externType()}
}

func (r *reader) exportDecl() *ExportDecl {
	return &ExportDecl{Pos: r.here(), ExternName: r.externName(), Type: r.externType()}
}

// export reads an export. Binary.md, "export".
func (r *reader) export() Definition {
	e := &Export{Pos: r.here(), ExternName: r.externName(), SortIndex: SortIndex{r.externSort(), r.u32()}}
	if r.flag("type of an export") {
		t := r.externType()
		e.Type = &t
	}
	return e
}
