// Package weave rewrites a core WebAssembly module so that it enters the host every so often, whatever it computes, and so that an instance
// of it takes little to make.
//
// Machine code made from WebAssembly cannot be preempted by Go: a guest that spins when a garbage collection begins would hang the
// process for ever. So a woven module looks, at each function entry and wherever a loop begins anew, whether it is to call the imported
// function [YieldModule].[YieldName]. [Check] is how: with [Tick] it compares a number that the host changes with the one it has seen
// last; with [Fuel] it takes from a counter of its own what the code up to the next such place may cost, and calls when the counter is
// used up. Large copies and fills of memory are cut into pieces with a check between them, long stretches of code have some on the way.
//
// What an instance begins with is in the module as lists that an engine works through each time. [Module.TakeData] leaves out what memory
// begins with, for whoever has the memory to bring it about. A table that nobody else sees and no instruction changes is left out too:
// call_indirect becomes a call of a function that calls what the table would have at the index. [Module.Keep] says which exports
// anybody asks for; the others are left out, and nobody sees a table by them.
//
// [Read] takes a module apart as far as that needs and checks every index that the weaving could give another meaning; [Module.Weave]
// puts it together again, after [Module.Relink] with other names for its imports. What Read accepts is not therefore valid: the engine
// validates the woven module. But a module that was not valid is not valid when woven. Sections that the weaving makes wrong, debug
// information among them, are left out; function names are kept.
//
// The package knows no engine and runs nothing. It is for package instance, at load.
package weave
