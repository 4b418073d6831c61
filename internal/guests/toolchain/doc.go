// Package toolchain gets the compilers that guests are built with and that no
// go command brings: Node.js and Python from Debian's packages, Rust with its
// standard library for WebAssembly from those of a newer Debian, unpacked and
// not installed, and tools that cargo builds. What is large is kept in the
// user's cache directory.
//
// It is for who builds the guests of this repository: internal/guests/build and
// internal/guests/cmd. Nothing that ships uses it.
package toolchain
