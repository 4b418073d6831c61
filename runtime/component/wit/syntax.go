package wit

// Bounds of what is parsed.
const (
	maxSource   = 1 << 20 // bytes of one source
	maxName     = 256     // bytes of an identifier
	maxDepth    = 64      // of types in types, names followed
	maxTypeSize = 1 << 16 // types that one is made of, each counted as often as it occurs
	maxFlags    = 32      // labels; Explainer, "Type definitions"
)

// document is the syntax of one source.
type document struct {
	position
	name, version string
	uses          []topUse
	interfaces    []*declaredInterface
}

// topUse gives an interface another name in one source.
type topUse struct {
	path path
	as   string
}

// path names an interface. Without a package it is one of the same source.
type path struct {
	position
	pkg, version, name string
}

// declaredInterface is an interface: its types and functions in the order of the text. Types of a use are among the types.
type declaredInterface struct {
	position
	name  string
	types []*declaredType
	funcs []*declaredFunc
}

// declaredType is a named type.
type declaredType struct {
	position
	name   string
	what   string // the keyword: type, record, variant, flags, enum, resource, use
	fields []field
	labels []string
	alias  *expression // of type
	from   path        // of use: the interface
	orig   string      // and the type's name there
}

// declaredFunc is a function, its name encoded.
type declaredFunc struct {
	position
	name        string
	params      []field
	result      *expression
	constructor string // the resource that this constructs, if any
}

// field is a field of a record, a case of a variant or a parameter.
type field struct {
	position
	name string
	kind *expression // nil: a case without payload
}

// expression is a type as written at one place: a keyword with arguments, or a name.
type expression struct {
	position
	text   string
	named  bool          // a name, not a keyword
	args   []*expression // nil: _
	length uint32        // of a list
}
