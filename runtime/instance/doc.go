// Package instance runs core WebAssembly modules, each time in a fresh instance: single ones made for WASI 0.1, and groups of linked
// ones, which is what a component is inside.
//
// All that can be done once is done by [Runtime.Load]: the module is checked, the check that lets it be stopped is woven in
// (package weave), it is compiled, and it is instantiated once to see that it can be. [Module.Instantiate] then makes an instance
// that shares nothing with any other but the machine code, [Instance.Run] runs its _start to the end, and [Instance.Close] gives
// its memory back.
//
// [Runtime.LoadGroup] and [Group.Instantiate] do the same for a group. It is a static plan: core instances in the order in which they
// are made, and for each of their imports the export of an earlier one or a function of the host. Which plan that is, and what the host's
// functions do, package component says; this one knows nothing of components, and its groups know nothing of WASI. All parts of an
// instance have one limit of memory and of call stack together, one deadline and one turn. The host calls them by [Function.Call], from
// its own functions too.
//
// Linear memories are not on Go's heap. What data segments give a memory is in an image, a file that a slot has mapped private at its begin:
// a fresh memory costs the pages that the guest writes to. When the instance has ended the slot is made what the image says, by what the kernel
// tells of the pages, and goes to the next. [Group.Snapshot] makes images of what memories are after the start functions.
//
// A guest is hostile. It runs under a limit of linear memory, of all instances together too; it stops when its context ends, be it
// spinning, recursing or asleep; and it cannot hold up the rest of the process, because it enters Go every few microseconds and
// makes room for others there.
//
// The package knows no HTTP and no containerd. Packages wasihttp, component and cmd/mayfly-engine call it; the shim, which is root, must
// not.
package instance
