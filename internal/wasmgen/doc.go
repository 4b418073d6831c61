// Package wasmgen makes random WebAssembly modules, and groups of modules that import from one another, for tests that compare two ways of
// running them.
//
// All that it makes is valid and comes to an end: loops are counted, calls through tables have a depth they do not exceed, and a function
// that has used up its fuel traps. Much of it traps in other ways too, in the middle of what it was doing, and some of it cannot be
// instantiated because a segment does not fit. Numbers are never NaN where its bits could be seen, so that two correct engines cannot differ.
//
// A seed makes the same group always, and a fuzzer can choose it: see [Generate]. The package knows no engine. It is for tests.
package wasmgen
