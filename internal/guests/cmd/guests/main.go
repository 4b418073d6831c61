// Command guests builds the test guests that are components:
//
//	go run ./internal/guests/cmd/guests build      those too large to be committed, into the cache
//	go run ./internal/guests/cmd/guests testdata   the committed ones, over what is committed
//	go run ./internal/guests/cmd/guests testdata DIR   the committed ones, into DIR
//
// It is run by make.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/mayfly-run/mayfly/internal/guests/build"
)

func main() { os.Exit(doMain(os.Args[1:], os.Stdout, os.Stderr)) }

func doMain(args []string, stdout, stderr io.Writer) int {
	var err error
	switch {
	case len(args) == 1 && args[0] == "build":
		err = buildAll(stdout)
	case len(args) == 1 && args[0] == "testdata":
		err = build.Committed("")
	case len(args) == 2 && args[0] == "testdata":
		err = build.Committed(args[1])
	default:
		fmt.Fprintln(stderr, "usage: guests build | testdata [DIR]")
		return 2
	}
	if err != nil {
		fmt.Fprintln(stderr, "guests:", err)
		return 1
	}
	return 0
}

func buildAll(stdout io.Writer) error {
	for _, name := range build.Names() {
		if _, ok := build.Find(name); ok {
			continue
		}
		fmt.Fprintln(stdout, "build", name)
		if _, err := build.Component(name); err != nil {
			return err
		}
	}
	return nil
}
