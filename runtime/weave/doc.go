// Package weave rewrites a core WebAssembly module so that it enters the host every so often, whatever it computes.
//
// Machine code made from WebAssembly cannot be preempted by Go: a guest that spins when a garbage collection begins would hang the
// process for ever. So a woven module looks, at each function entry and wherever a loop begins anew, whether it is to call the imported
// function [YieldModule].[YieldName]. [Check] is how: with [Tick] it compares a number that the host changes with the one it has seen
// last; with [Fuel] it takes from a counter of its own what the code up to the next such place may cost, and calls when the counter is
// used up. Large copies and fills of memory are cut into pieces with a check between them, long stretches of code have some on the way.
//
// [Read] takes a module apart as far as that needs and checks every index that the weaving could give another meaning; [Module.Weave]
// puts it together again, after [Module.Relink] with other names for its imports. What Read accepts is not therefore valid: the engine
// validates the woven module. But a module that was not valid is not valid when woven. Sections that the weaving makes wrong, debug
// information among them, are left out; function names are kept.
//
// The package knows no engine and runs nothing. It is for package instance, at load.
package weave
