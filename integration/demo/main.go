// Command demo shows mayfly at work, step by step: a pod on a real containerd
// whose main container asks its sidecars. Where that cannot be, without root or
// on another system, it shows the same sidecars under mayfly serve.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(doMain()) }

func doMain() int {
	enter()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := newScreen(os.Stdout)
	lacking := check()
	show := inPod
	if lacking != nil {
		show = embedded
	}
	if err := show(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 1
	}
	if lacking != nil {
		s.note("left out: the pod on a real containerd with its main container, and memory against a container (this %v)", lacking)
	}
	return 0
}
