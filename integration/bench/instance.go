//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/figures"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// freshInstances measures what a request to a core module costs inside the
// engine, without HTTP.
func freshInstances(ctx context.Context, much effort, examples []lab.Example) (all []figure, err error) {
	r, err := instance.NewRuntime(ctx, instance.Limits{Memory: 64 << 20})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close(ctx)) }()
	for _, e := range examples {
		wasm, err := os.ReadFile(e.Module)
		if err != nil {
			return nil, err
		}
		m, err := r.Load(ctx, wasm)
		if err != nil {
			return nil, err
		}
		var times figures.Times
		for end := time.Now().Add(much.asked); time.Now().Before(end) && len(times) < much.atMost; {
			begin := time.Now()
			if err := fresh(ctx, m); err != nil {
				return nil, fmt.Errorf("%s: %w", e.Name, err)
			}
			times = append(times, time.Since(begin))
		}
		all = append(all, inMicroseconds("fresh-instance/"+e.Name, times[len(times)/10:], "in the engine: instantiate, run one request of examples/time, close; a core module that speaks CGI"))
	}
	return all, nil
}

func fresh(ctx context.Context, m *instance.Module) error {
	var out bytes.Buffer
	i, err := m.Instantiate(ctx, instance.Call{
		Args: []string{"time.wasm"}, Stdout: &out, Stderr: &out, Stdin: bytes.NewReader(nil),
		Env: []string{"REQUEST_METHOD=GET", "PATH_INFO=/", "QUERY_STRING=", "SERVER_PROTOCOL=HTTP/1.1", "GATEWAY_INTERFACE=CGI/1.1"},
	})
	if err != nil {
		return err
	}
	if err := errors.Join(i.Run(ctx), i.Close()); err != nil {
		return err
	}
	if !bytes.Contains(out.Bytes(), []byte(`"instance"`)) {
		return fmt.Errorf("the answer is %q", out.Bytes())
	}
	return nil
}
