//go:build linux

// Command benchagent is in the main containers of the pods that mayfly bench cluster makes. It asks the sidecars and takes the time, so
// that no network, no proxy and no clock but its own is in a figure.
//
//	benchagent main     waits for orders, and does them
//	benchagent order    takes an order from standard input to the one that waits, and prints the answers: what kubectl exec starts
//	benchagent static   answers every request with the same bytes: what client and loopback cost by themselves
//	benchagent node     tells of the node's processes: in a privileged pod that sees them
//
// It is small, because its memory and its start are in every pod that is measured.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
)

func main() { os.Exit(doMain(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func doMain(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) != 1 {
		args = []string{""}
	}
	var err error
	switch args[0] {
	case "main":
		err = listen(ctx, fmt.Sprintf(":%d", order.Port), serveOrders)
	case "static":
		err = listen(ctx, fmt.Sprintf("127.0.0.1:%d", order.StaticPort), serveStatic)
	case "order":
		err = take(ctx, fmt.Sprintf("127.0.0.1:%d", order.Port), stdin, stdout)
	case "node":
		err = tellNode(stdout, "/proc")
	default:
		fmt.Fprintln(stderr, "benchagent: want one of main, order, static, node")
		return 2
	}
	if err != nil {
		fmt.Fprintln(stderr, "benchagent:", err)
		return 1
	}
	return 0
}

func listen(ctx context.Context, addr string, serve func(context.Context, net.Listener) error) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return serve(ctx, l)
}
