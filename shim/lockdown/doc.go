//go:build linux

// Package lockdown runs a program on hostile input: the engine when it compiles a module that came with an image.
//
// The shim, which is root, calls [Run]. That starts the shim's own binary again in namespaces of its own, where [Stage] takes from the process
// all that it does not need and executes the program in its place:
//
//   - its root directory is an empty file system in memory, bounded in size, which is also where its output goes;
//   - it is a user that nobody else on the node is, without capabilities and without a way to get any;
//   - it sees no other process, no network and nothing of the node's files: input and program are descriptors;
//   - it has a cgroup of its own, with bounds for memory and processes, and limits of processor time, files and their sizes;
//   - the system calls that it may make are listed;
//   - it dies, with all that it started, when the caller's context ends or the shim does.
//
// The caller takes the output as what it is, files of somebody who cannot be trusted.
package lockdown
