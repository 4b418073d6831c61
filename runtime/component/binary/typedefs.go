package binary

import "github.com/mayfly-run/mayfly/runtime/component/types"

// CoreType is a core type: one of its fields is set.
type CoreType struct {
	Pos
	Func   *CoreFuncType
	Module *ModuleType
}

// CoreFuncType is the type of a core function; value types are encoded as WebAssembly encodes them, a byte for each.
type CoreFuncType struct {
	Params, Results string
}

// ModuleType is the type of a core module. Its declarations are *CoreType (of functions), *AliasOuter, *CoreImport and
// *CoreExportDecl.
type ModuleType struct {
	Declarations []Definition
}

// CoreImport is an import in the type of a core module.
type CoreImport struct {
	Pos
	Module, Name string
	Type         CoreExtern
}

// CoreExportDecl is an export in the type of a core module.
type CoreExportDecl struct {
	Pos
	Name string
	Type CoreExtern
}

// CoreExtern is the type of a core import or export. Of functions and tags, the type is not here, but its index.
type CoreExtern struct {
	types.CoreExtern
	Index uint32
}

// Type defines a type: one of its fields is set.
type Type struct {
	Pos
	Value     *ValueType
	Func      *FuncType
	Component *ComponentType
	Instance  *InstanceType
	Resource  *ResourceType
}

// ValueType is a type of values. Which fields are set depends on the kind.
type ValueType struct {
	Kind   types.Kind
	Fields []Field  // Record, and Tuple, where they have no names
	Cases  []Field  // Variant; a case without a payload has no type
	Labels []string // Flags, Enum
	Elem   TypeRef  // List, Option
	// Length is that of a list of fixed length. A list of length 0 is not valid: Fixed tells it from a list of any length.
	Length uint32
	Fixed  bool
	OK     TypeRef // Result; may be NoType
	Err    TypeRef
	Handle uint32 // Own, Borrow: the index of the resource type
}

// Field is a field of a record, a case of a variant, or a parameter.
type Field struct {
	Name string
	Type TypeRef
}

// TypeRef refers to a type of values: NoType, a primitive kind, or the index of a type that must be one.
type TypeRef int64

// NoType is no type at all, where a type may be left out.
const NoType = TypeRef(-1 << 32)

// Ref refers to the type of an index.
func Ref(index uint32) TypeRef { return TypeRef(index) }

// Primitive refers to a primitive type.
func Primitive(k types.Kind) TypeRef { return -1 - TypeRef(k) }

// Index is the index of the type, if it has one.
func (t TypeRef) Index() (index uint32, ok bool) { return uint32(t), t >= 0 }

// Primitive is the kind of a primitive type.
func (t TypeRef) Primitive() (k types.Kind, ok bool) { return types.Kind(-1 - t), t < 0 && t != NoType }

// FuncType is the type of a function.
type FuncType struct {
	Params []Field
	Result TypeRef // or NoType
}

// ComponentType is the type of a component. Its declarations are *CoreType, *Type, *AliasExport, *AliasOuter, *Import and *ExportDecl.
type ComponentType struct {
	Declarations []Definition
}

// InstanceType is the type of an instance. Its declarations are those of a component type without *Import.
type InstanceType struct {
	Declarations []Definition
}

// ResourceType is a new resource type.
type ResourceType struct {
	Rep        byte    // the core type that represents it, as WebAssembly encodes it
	Destructor *uint32 // of the core functions; nil: none
}

// ExternType is the type of an import or export.
type ExternType struct {
	Sort Sort // SortCoreModule, SortFunc, SortType, SortComponent or SortInstance
	// Index is that of a core type for a core module, and of a type for all others.
	Index uint32
	// SubResource is set for a type that is some resource type, not the one of an index.
	SubResource bool
}
