// Package filesystem is the host of wasi:filesystem: what a component sees of files.
//
// Which files there are, and that no path leads out of them, is the business of package guestfs; guests made for WASI 0.1 see the same
// ones by the same code. Here is what WASI 0.2 makes of it: descriptors and their flags, streams, error codes. A [Guest] is one
// instance's part: it bounds what the instance has open, and closes what it leaves behind.
//
// Reads and writes are done at once, in the guest's call: only regular files and directories can be opened, and they do not keep one
// waiting for others.
package filesystem
