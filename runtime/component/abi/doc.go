// Package abi is the canonical ABI of the component model: how values of component types pass into and out of core WebAssembly.
//
// Its functions bear the names of the specification's own (Canonical ABI, "definitions.py"): lift and lower, flat and through memory,
// flattened function types, handle tables, tasks and subtasks. What is asynchronous there is left out here, and what remains is in the
// place where the specification has it, so that it can be added.
//
// The package knows no engine: core functions and memories are interfaces. Package component gives it those of a running instance, and
// hosts use [Value].
package abi
