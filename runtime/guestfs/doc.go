// Package guestfs is what a guest sees of files.
//
// In a container it is the container's root without what is not for guests: [Container]. On a laptop it is the directories that the
// user named: [Dirs]. In both no path and no symbolic link leads elsewhere, whoever changes the links meanwhile: every step is taken
// from an open directory, never by a path that was checked before.
//
// Only regular files and directories can be opened. To open a named pipe or a device may block for ever, and a guest that blocks in the
// kernel cannot be stopped.
//
// Packages cmd/mayfly-engine and cmd/mayfly make a configuration once and hand it to every instance. The package is no isolation
// against the kernel: the engine's user and its mounts are.
package guestfs
