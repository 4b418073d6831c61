// Package instance runs core WebAssembly modules made for WASI 0.1, each time in a fresh instance.
//
// All that can be done once is done by [Runtime.Load]: the module is checked, the check that lets it be stopped is woven in
// (package weave), it is compiled, and it is instantiated once to see that it can be. [Module.Instantiate] then makes an instance
// that shares nothing with any other but the machine code, [Instance.Run] runs its _start to the end, and [Instance.Close] gives
// its memory back.
//
// A guest is hostile. It runs under a limit of linear memory, of all instances together too; it stops when its context ends, be it
// spinning, recursing or asleep; and it cannot hold up the rest of the process, because it enters Go every few microseconds and
// makes room for others there.
//
// The package knows no HTTP and no containerd. Packages wasihttp and cmd/mayfly-engine call it; the shim, which is root, must not.
package instance
