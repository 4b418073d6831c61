package binary

// Component is a component taken apart. It refers to the bytes it was read from.
type Component struct {
	Pos
	// Definitions are in the order of the file, which is the order of the index spaces: each may refer to those before it.
	Definitions []Definition
	Customs     []Custom
	Names       *Names // nil when there are none, or they make no sense
}

// Definition is one of *CoreModule, *CoreInstantiate, *CoreInline, *CoreType, *Component, *Instantiate, *Inline, *AliasExport,
// *AliasCoreExport, *AliasOuter, *Type, *Lift, *Lower, *ResourceFunc, *Import, *Export; within types also *ExportDecl, and within
// those of core modules *CoreImport and *CoreExportDecl.
type Definition interface {
	// At is the offset of the definition in the file.
	At() int
	definition()
}

// Pos is an offset in the file.
type Pos int

// At is the offset itself.
func (p Pos) At() int { return int(p) }

func (Pos) definition() {}

// Custom is a custom section. What it holds has no meaning for the component.
type Custom struct {
	Name   string
	Offset int // of its contents, after the name
	Size   int
}

// Names is what people called things in the source: the custom section "component-name".
type Names struct {
	Component string
	Sorts     map[Sort]map[uint32]string
}

// Of is the name of a definition, or empty.
func (n *Names) Of(s Sort, index uint32) string {
	if n == nil {
		return ""
	}
	return n.Sorts[s][index]
}

// Sort is what an index refers to; each sort has an index space of its own.
type Sort uint8

const (
	SortFunc Sort = iota
	SortValue
	SortType
	SortComponent
	SortInstance
	SortCoreFunc
	SortCoreTable
	SortCoreMemory
	SortCoreGlobal
	SortCoreTag
	SortCoreType
	SortCoreModule
	SortCoreInstance
	Sorts // how many there are
)

var sortNames = [...]string{"function", "value", "type", "component", "instance", "core function", "core table", "core memory",
	"core global", "core tag", "core type", "core module", "core instance"}

// String is the sort's name in messages.
func (s Sort) String() string { return sortNames[s] }

// SortIndex refers to a definition.
type SortIndex struct {
	Sort  Sort
	Index uint32
}
