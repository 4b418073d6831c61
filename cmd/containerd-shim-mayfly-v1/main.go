//go:build linux

// Command containerd-shim-mayfly-v1 is mayfly's containerd shim: one process for each pod. See package shim.
package main

import (
	"os"

	"github.com/mayfly-run/mayfly/shim"
)

func main() { os.Exit(shim.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
