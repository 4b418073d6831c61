// Package abi is the canonical ABI of the component model: how values of component types pass into and out of core WebAssembly.
//
// It is the specification's own model, by its own names (Canonical ABI, "definitions.py"), without what is asynchronous: what remains
// is in the place where the specification has it, so that the rest can be added. Where the model is a program, ours is compared with
// it (TestSpecification).
//
//	the guest calls an import               the host calls an export
//	CanonLower                              CanonLift
//	  a Subtask, which is the Caller          a Task
//	  FuncInst.Invoke                         Caller.Start: the arguments
//	    Caller.Start: lift the arguments      lower the arguments, call the core function, lift the result
//	    Caller.Resolve: lower the result      Caller.Resolve: the result
//	  give back what was lent                 post-return
//
// When a component calls another, the left calls the right: the FuncInst is one that does CanonLift.
//
// What a function's type says is worked out once, by [NewFuncType], into a tree of layouts; a call follows it. A call of scalars
// allocates nothing, and a string or list of bytes takes one allocation, that of its content.
//
// # For hosts
//
// Values that a function is called with are its own, and may be kept: nothing in them is of the guest's memory. Only the slice of
// the arguments itself is used again. Of the values that it returns nothing is kept.
//
// A value that does not have the type it must have is a [HostError]; nothing here panics for one. What a guest does wrong is a [Trap]. After
// either, the instance can be entered no more: [ComponentInstance.Close] it, which finds all that it owned of the host, also what was on
// its way in a call that failed.
//
// # Bounds
//
// A guest chooses addresses, lengths and handles. The specification bounds strings and lists at 256 MiB each, but lists in a list may be at
// one address: what one call lifts is bounded too, at 64 MiB of the host's memory. The tables of an instance hold 65536 handles together. Types are bounded in
// size and depth, so that what walks one ends, and a type that occurs twice in another has one layout.
//
// The package knows no engine: core functions and memories are interfaces. Package component gives it those of a running instance;
// hosts use [Value] by way of that package.
package abi
