// Package guestfs is what a guest sees of files.
//
// In a container it is the container's root without what is not for guests: [OpenContainer]. On a laptop it is the directories that the
// user named: [OpenDirs]. In both no path and no symbolic link leads elsewhere, whoever changes the links meanwhile: every step is taken
// from an open directory, never by a path that was checked before.
//
// Only regular files and directories can be opened. To open a named pipe or a device may block for ever, and a guest that blocks in the
// kernel cannot be stopped.
//
// [Files] are opened once and serve every instance: those made for WASI 0.1 by [Files.Config], components by [Files.Preopens] and the
// methods of [File]. Both are the same code, so both kinds of guests find the same.
//
// Packages cmd/mayfly-engine and cmd/mayfly open them; package runtime/wasi/filesystem gives them to components. The package is no
// isolation against the kernel: the engine's user and its mounts are.
package guestfs
