package clusterbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
)

// mainContainer is the name of the container that asks.
const mainContainer = "main"

// exec runs a command in the main container of a pod, as kubectl exec does.
func (a *api) exec(ctx context.Context, pod string, stdin io.Reader, stdout io.Writer, command ...string) error {
	req := a.core.Post().Namespace(a.namespace).Resource("pods").Name(pod).SubResource("exec").
		Param("container", mainContainer).Param("stdout", "true").Param("stderr", "true")
	if stdin != nil {
		req.Param("stdin", "true")
	}
	for _, c := range command {
		req.Param("command", c)
	}
	websocket, err := remotecommand.NewWebSocketExecutor(a.config, "GET", req.URL().String())
	if err != nil {
		return err
	}
	spdy, err := remotecommand.NewSPDYExecutor(a.config, "POST", req.URL())
	if err != nil {
		return err
	}
	executor, err := remotecommand.NewFallbackExecutor(websocket, spdy, httpstream.IsUpgradeFailure)
	if err != nil {
		return err
	}
	errs := &bounded{}
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: errs}); err != nil {
		return fmt.Errorf("exec %s in pod %s: %w: %s", strings.Join(command, " "), pod, err, strings.TrimSpace(errs.String()))
	}
	return nil
}

// bounded keeps the beginning of what is written to it.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), max(0, 4096-b.Len()))])
	return len(p), nil
}

// order has a pod do something, and calls each with what came out as it comes.
func (a *api) order(ctx context.Context, pod string, o order.Order, each func(order.Answer)) error {
	var text bytes.Buffer
	if err := order.Write(&text, o); err != nil {
		return err
	}
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		err := a.exec(ctx, pod, &text, w, "/agent", "order")
		w.CloseWithError(err)
		ended <- err
	}()
	err := answers(r, each)
	if err != nil {
		cancel()
	}
	return errors.Join(err, r.Close(), wanted(<-ended, err))
}

// wanted is the error of an exec that was not ended by us.
func wanted(ended, why error) error {
	if why != nil {
		return nil
	}
	return ended
}

func answers(r io.Reader, each func(order.Answer)) error {
	for lines := order.NewLines(r); ; {
		var a order.Answer
		switch err := lines.Next(&a); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case a.Name == "": // not of a turn
			return errors.New(a.Why)
		}
		each(a)
	}
}

// one has a pod do a single turn.
func (a *api) one(ctx context.Context, pod string, t order.Turn) (answer order.Answer, err error) {
	n := 0
	err = a.order(ctx, pod, order.Order{Turns: []order.Turn{t}}, func(a order.Answer) { answer, n = a, n+1 })
	if err == nil && n != 1 {
		err = fmt.Errorf("pod %s gave %d answers to one order", pod, n)
	}
	return answer, err
}
