// Package wasisuite runs the programs of the wasi-testsuite, which say what a host of WASI should do.
//
// The suite is not ours and not here: MAYFLY_WASI_TESTSUITE names a git repository of it, whose branch prod/testsuite-base holds the
// programs as modules, and without it the tests are skipped. Each program runs by itself over a fresh copy of its directory. A table
// says which passed. What is known to fail, and why, is in known.txt; a program that is listed there and passes is an error too.
//
// The programs are for WASI 0.1. With MAYFLY_WASI_ADAPTER, the component model's adapter for commands, and wasm-tools they are made
// components as well, and run on WASI 0.2.
//
// MAYFLY names the binary whose "mayfly run" is tested. Without it the packages below it are.
package wasisuite
