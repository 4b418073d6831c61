// Package types holds the types of the component model: of values, functions, instances, components and core modules.
//
// A type is immutable once it has been made, so it may be shared. Value types are compared by structure (Type.Equal); resources by
// identity, since two resources of the same name are different ones. The package decodes nothing (package binary does), and what
// is valid is decided by package validate.
package types

// Kind is what sort of value a type describes. Component model, Explainer, "Type definitions".
type Kind uint8

const (
	Bool Kind = iota
	S8
	U8
	S16
	U16
	S32
	U32
	S64
	U64
	F32
	F64
	Char
	String
	Record
	Variant
	List
	Tuple
	Flags
	Enum
	Option
	Result
	Own
	Borrow
)

var kindNames = [...]string{"bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string", "record",
	"variant", "list", "tuple", "flags", "enum", "option", "result", "own", "borrow"}

// String is the kind's name in WIT.
func (k Kind) String() string { return kindNames[k] }

// Primitive reports whether a kind is a type by itself.
func (k Kind) Primitive() bool { return k <= String }

// Type is the type of a value. Which fields are set depends on the kind.
type Type struct {
	Kind     Kind
	Fields   []Field   // Record, and Tuple, where they have no names
	Cases    []Field   // Variant; a case without a payload has no type
	Labels   []string  // Flags, Enum
	Elem     *Type     // List, Option
	Length   uint32    // of a List of fixed length; 0: any length
	OK, Err  *Type     // Result; nil: no payload
	Resource *Resource // Own, Borrow
}

// Field is a field of a record, a case of a variant or a parameter of a function.
type Field struct {
	Name string
	Type *Type
}

// Resource is a resource type. Its identity is its address: each instantiation of the component that defines it makes another.
type Resource struct {
	Name string // for people; may be empty
	// Owner is the component instance that defines the resource, by its number in the plan that links a component, from 1; 0: the host's,
	// or not linked.
	Owner int
}

// Func is the type of a function.
type Func struct {
	Params []Field
	Result *Type // nil: none
}

// Primitives are the types that need no definition, by kind.
var Primitives = func() (p [String + 1]*Type) {
	for k := range p {
		p[k] = &Type{Kind: Kind(k)}
	}
	return p
}()

// Sort is what an import or export is. Component model, Binary, "externdesc".
type Sort uint8

const (
	SortModule Sort = iota // core module
	SortFunc
	SortValue
	SortType
	SortComponent
	SortInstance
)

var sortNames = [...]string{"core module", "function", "value", "type", "component", "instance"}

// String is the sort's name in messages.
func (s Sort) String() string { return sortNames[s] }

// Extern is the type of an import or export. The field that belongs to the sort is set.
type Extern struct {
	Sort      Sort
	Module    *Module
	Func      *Func
	Type      Defined // what a type import or export is bound to
	Component *Component
	Instance  *Instance
}

// Defined is what a type definition defines: one of its fields is set.
type Defined struct {
	Value     *Type
	Resource  *Resource
	Func      *Func
	Instance  *Instance
	Component *Component
}

// Named is an import or export of an instance or a component.
type Named struct {
	Name string
	Extern
}

// Instance is the type of an instance: what it exports, in order.
type Instance struct {
	Exports []Named
}

// Component is the type of a component: what it imports and exports, in order.
type Component struct {
	Imports []Named
	Exports []Named
}

// Export finds an export by name.
func (i *Instance) Export(name string) (Extern, bool) { return find(i.Exports, name) }

// Import finds an import by name.
func (c *Component) Import(name string) (Extern, bool) { return find(c.Imports, name) }

// Export finds an export by name.
func (c *Component) Export(name string) (Extern, bool) { return find(c.Exports, name) }

func find(all []Named, name string) (Extern, bool) {
	for i := range all {
		if all[i].Name == name {
			return all[i].Extern, true
		}
	}
	return Extern{}, false
}

// Module is the type of a core module: what it imports and exports, in order.
type Module struct {
	Imports []CoreImport
	Exports []CoreExport
}

// CoreImport is an import of a core module.
type CoreImport struct {
	Module, Name string
	CoreExtern
}

// CoreExport is an export of a core module or core instance.
type CoreExport struct {
	Name string
	CoreExtern
}

// CoreSort is what a core import or export is; the values are those of the core binary format.
type CoreSort uint8

const (
	CoreFunction CoreSort = iota
	CoreTable
	CoreMemory
	CoreGlobal
	CoreTag
)

var coreSortNames = [...]string{"core function", "core table", "core memory", "core global", "core tag"}

// String is the sort's name in messages.
func (s CoreSort) String() string { return coreSortNames[s] }

// CoreExtern is the type of a core import or export. Value types are encoded as WebAssembly encodes them.
type CoreExtern struct {
	Sort    CoreSort
	Params  string // CoreFunction, CoreTag: a byte for each
	Results string // CoreFunction
	Value   byte   // CoreTable: of its elements; CoreGlobal
	Mutable bool   // CoreGlobal
	Limits  Limits // CoreTable, CoreMemory
}

// Limits are the sizes of a table in elements, or of a memory in pages.
type Limits struct {
	Min, Max uint64
	HasMax   bool
	Shared   bool
	Address  bool // 64-bit
}
