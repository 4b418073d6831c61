// Package component runs components: WebAssembly's component model, release 0.2, on wazero.
//
// # From bytes to answer
//
//	bytes ── binary.Decode ──▶ definitions ── validate ──▶ types ── link ──▶ plan ── instance.LoadGroup ──▶ machine code
//	                                                                                              │ once, at load
//	──────────────────────────────────────────────────────────────────────────────────────────────┼──────────────────
//	                                                                                              ▼ for each request
//	          Go values ── lower ──▶ core values ──▶ core instances ──▶ core values ── lift ──▶ Go values
//
// [Read] takes the file apart (package binary) into its definitions, in the order of the file: core modules, components within the
// component, types, instances to make, aliases, imports, exports, and the two kinds of functions that the component model is about:
// lifted ones, which make a function with strings, records and handles out of a core function, and lowered ones, which do the
// reverse. Package validate then checks that they fit together. Both are bounded: a hostile file is an error, and a quick one.
//
// [Load] links. A component is a program that instantiates: core modules with each other's exports, components with other components.
// What it does depends on nothing but the file, so the linker (link.go, scope.go) runs that program once, with symbols in the place of
// instances. What comes out is a plan: the core instances in their order, of each of their imports which earlier instance or which
// function of the host it is, and numbers for everything that crosses between core code, components and the host. Then the core modules
// are woven and compiled (packages weave and instance).
//
// [Component.Instantiate] makes the core instances, and nothing else: no name is looked up and no type is looked at. [Instance.Call]
// lowers Go values into the guest's memory, calls, and lifts what it returns; when the guest calls what it imports the same
// happens the other way around (package abi). Where one component calls another, the values are lifted out of the one and lowered into
// the other. What a guest holds of others is a handle, an index into a table of its own; what it leaves is dropped by [Instance.Close].
//
// # Hosts
//
// A [Host] is made of packages: a package's WIT text says what there is, and functions in Go say what it does. The types are checked once,
// when a component is loaded: a [HostFunc] may rely on its arguments. Interfaces match on the track of their version: a host that has
// wasi:io/poll@0.2.12 serves 0.2.0, and a component may use several versions at once. What a component imports and does not call
// need not be there.
//
// # What it is not
//
// WASI is not in here: packages below runtime/wasi are hosts like any other. There is no asynchronous lift and lower, no stream and no
// future: WASI 0.3 is recognised and refused by name. The canonical ABI is written along the specification's own model, with tasks, subtasks and
// one table of handles for each component instance, so that these can be added where the specification has them.
package component
