//go:build !linux

package main

import (
	"fmt"
	"os"
)

// doMain has nothing to do where there are no containers.
func doMain(args []string) int {
	if _, err := parseFlags(args); err != nil {
		fmt.Fprintln(os.Stderr, "mayfly-engine:", err)
	}
	fmt.Fprintln(os.Stderr, "mayfly-engine: works in Linux containers only: on this machine use mayfly serve")
	return 2
}
