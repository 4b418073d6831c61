//go:build linux

package main

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const (
	processors = "GOMAXPROCS"
	// kept is where the container's own GOMAXPROCS, or nothing, waits for the engine.
	kept = "MAYFLY_KEPT_GOMAXPROCS"
)

// alone makes the holder a process for a single processor, which is all it needs, by executing it once more.
//
// Go prepares for every processor of the node before main, and what that takes stays taken: 20 KB for each, well over a megabyte
// on a large node. Only the environment is read early enough to prevent it.
func alone() {
	if own, again := os.LookupEnv(kept); again {
		giveBack(own)
	} else if runtime.GOMAXPROCS(0) > 1 {
		own := os.Getenv(processors)
		os.Setenv(processors, "1")
		os.Setenv(kept, own)
		if err := unix.Exec(os.Args[0], os.Args, os.Environ()); err != nil {
			say("execute " + os.Args[0] + " again: " + err.Error() + "; going on with more memory than necessary")
		}
		giveBack(own)
	}
	runtime.GOMAXPROCS(1)
}

// giveBack restores the environment for the engine, which needs every processor it can get.
func giveBack(own string) {
	os.Unsetenv(kept)
	if own == "" {
		os.Unsetenv(processors)
	} else {
		os.Setenv(processors, own)
	}
}
