// Command mayfly packs Wasm sidecars into container images, runs them on a
// laptop, and tells what is in them. It needs no root and no containerd; on a
// node it is not needed at all.
package main

import (
	"os"
)

func main() {
	os.Exit(doMain(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
