//go:build linux

// Package code provides the compiled code of sidecars' modules: from the node's cache, or compiled for it.
//
//	Create ── Store.Begin: hash the module, look for an entry ──▶ Code
//	                                                               ├─ found: verify it
//	                                                               └─ none: compile, in package lockdown, while runc makes the container
//	Start  ── Code.Wait: a descriptor of the entry, for the holder ◀┘
//	the end ─ Code.Close: the entry may be removed
//
// Without compiled code a sidecar starts more slowly, within its own limits, and works: what goes wrong here is logged and is no error of
// a pod.
//
// Root's part is to name, copy and check files. What is in an entry only the engine knows.
package code
