package binary

// CoreModule is a core module; its bytes start with a preamble of their own.
type CoreModule struct {
	Pos
	Bytes []byte
}

// CoreInstantiate makes an instance of a core module.
type CoreInstantiate struct {
	Pos
	Module uint32
	Args   []CoreArg
}

// CoreArg gives an instance to those imports of a core module that name it as their module.
type CoreArg struct {
	Name     string
	Instance uint32
}

// CoreInline is a core instance made of things that exist already.
type CoreInline struct {
	Pos
	Exports []InlineExport
}

// InlineExport is a name for a thing that exists. Attributes are only there in instances, not in core instances.
type InlineExport struct {
	ExternName
	SortIndex
}

// Instantiate makes an instance of a component.
type Instantiate struct {
	Pos
	Component uint32
	Args      []Arg
}

// Arg is what one import of a component is given.
type Arg struct {
	Name string
	SortIndex
}

// Inline is an instance made of things that exist already.
type Inline struct {
	Pos
	Exports []InlineExport
}

// AliasExport takes an export out of an instance.
type AliasExport struct {
	Pos
	Sort     Sort
	Instance uint32
	Name     string
}

// AliasCoreExport takes an export out of a core instance.
type AliasCoreExport struct {
	Pos
	Sort     Sort
	Instance uint32
	Name     string
}

// AliasOuter takes a definition from around this component or type.
type AliasOuter struct {
	Pos
	Sort  Sort   // SortCoreModule, SortCoreType, SortComponent or SortType
	Count uint32 // how many components and types to leave; 0: the current one
	Index uint32 // of the sort, there
}

// Lift makes a function of a core function. Canonical ABI, canon_lift.
type Lift struct {
	Pos
	CoreFunc uint32
	Options  Options
	Type     uint32
}

// Lower makes a core function of a function. Canonical ABI, canon_lower.
type Lower struct {
	Pos
	Func    uint32
	Options Options
}

// ResourceFunc is one of the built-in core functions of a resource type.
type ResourceFunc struct {
	Pos
	Op   ResourceOp
	Type uint32
}

// ResourceOp is what a built-in of a resource type does.
type ResourceOp uint8

const (
	ResourceNew ResourceOp = iota
	ResourceDrop
	ResourceRep
)

var resourceOpNames = [...]string{"resource.new", "resource.drop", "resource.rep"}

// String is the operation's name in the specification.
func (o ResourceOp) String() string { return resourceOpNames[o] }

// Options say how values cross between a component and its core code. An index that is nil is not given.
type Options struct {
	Encoding   Encoding
	Memory     *uint32 // of the core memories
	Realloc    *uint32 // of the core functions
	PostReturn *uint32 // of the core functions
}

// Encoding is how strings are written in a memory.
type Encoding uint8

const (
	UTF8 Encoding = iota
	UTF16
	Latin1UTF16
)

var encodingNames = [...]string{"utf8", "utf16", "latin1+utf16"}

// String is the encoding's name in the specification.
func (e Encoding) String() string { return encodingNames[e] }

// Import is something the component wants from others.
type Import struct {
	Pos
	ExternName
	Type ExternType
}

// Export is something the component offers. It is a definition of its own: it takes an index of its sort.
type Export struct {
	Pos
	ExternName
	SortIndex
	Type *ExternType // that it is to have; nil: the one that the thing has
}

// ExportDecl is an export in the type of an instance or a component.
type ExportDecl struct {
	Pos
	ExternName
	Type ExternType
}

// ExternName is the name of an import or export, with attributes that say more about it and are no part of its type.
type ExternName struct {
	Name          string
	Implements    string // the interface of an instance whose name is a plain one
	VersionSuffix string // the rest of the version at the end of the name
	ExternalID    string // what the host calls it
	// attributes is a set of those that are there, even though empty.
	attributes attribute
}
