// Package peers has the programs that serve components over HTTP: this repository's mayfly, and what it is compared with. It finds or
// builds them, starts them, reads what they use of the machine, and ends them with all they started.
//
// It is for integration/differential, which compares their answers, and integration/benchpeers, which compares their speed. It asks
// them nothing itself.
//
// wasmtime is the one in MAYFLY_WASMTIME or in PATH, or cargo builds it; jco comes from npm, in the versions of
// jco/package-lock.json; runc is the lab's. What is built is kept in the user's cache directory.
package peers
