//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/figures"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// loadComponents measures what it takes to load components, and what a request
// to one costs inside the engine, by the engine's own clock.
func loadComponents(ctx context.Context, much effort, components []lab.Example) (all []figure, err error) {
	var cached, fresh, ends []figure
	for _, e := range components {
		var times figures.Times
		var app *wasihttp.App
		for begin := time.Now(); len(times) < 20 && (len(times) < much.atLeast || time.Since(begin) < much.patience); {
			if app != nil {
				if err := app.Close(ctx); err != nil {
					return nil, err
				}
			}
			start := time.Now()
			if app, err = loadApp(ctx, e.Module); err != nil {
				return nil, fmt.Errorf("load %s: %w", e.Module, err)
			}
			times = append(times, time.Since(start))
		}
		all = append(all, inMicroseconds("component-load/"+e.Name, times, "in the engine: read, check, link and compile a component, of examples/time"))
		again, err := loadAgain(ctx, e)
		if err != nil {
			return nil, errors.Join(err, app.Close(ctx))
		}
		cached = append(cached, again)
		requests, end, err := asked(ctx, much, app)
		if err := errors.Join(err, app.Close(ctx)); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Module, err)
		}
		fresh = append(fresh, inMicroseconds("fresh-instance/"+e.Name, requests[len(requests)/10:], "in the engine: instantiate, and run one request of examples/time to the head of its answer; a component"))
		end.Name = "reset/" + e.Name
		ends = append(ends, end)
	}
	return slices.Concat(all, cached, fresh, ends), nil
}

// loadApp does what an engine does with an image.
func loadApp(ctx context.Context, file string) (*wasihttp.App, error) {
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	o, err := settings()
	if err != nil {
		return nil, err
	}
	o.Wasm = wasm
	return wasihttp.Load(ctx, o)
}

// settings are those of a sidecar that tells its times.
func settings() (wasihttp.Options, error) {
	sidecar, err := config.Parse([]string{"MAYFLY_SERVER_TIMING=1", "MAYFLY_IDLE_TIMEOUT=never"})
	return wasihttp.Options{Sidecar: sidecar, Args: []string{"time.wasm"}, Log: slog.New(slog.DiscardHandler), GuestLog: io.Discard}, err
}

// loads is how often a component is loaded that was compiled before.
const loads = 50

// loadAgain measures what it takes to load what was compiled before.
func loadAgain(ctx context.Context, e lab.Example) (f figure, err error) {
	dir, err := os.MkdirTemp("", "mayfly-bench-compiled-")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	wasm, err := os.ReadFile(e.Module)
	if err != nil {
		return f, err
	}
	if err := wasihttp.Compile(ctx, wasm, dir); err != nil {
		return f, fmt.Errorf("compile %s: %w", e.Module, err)
	}
	o, err := settings()
	if err != nil {
		return f, err
	}
	var times figures.Times
	for range loads {
		start := time.Now()
		app, err := wasihttp.LoadCompiled(ctx, dir, o)
		took := time.Since(start)
		if err != nil {
			return f, fmt.Errorf("load what was compiled of %s: %w", e.Module, err)
		}
		if err := app.Close(ctx); err != nil {
			return f, err
		}
		times = append(times, took)
	}
	return inMicroseconds("cache-load/"+e.Name, times, "in the engine: load a component of examples/time that was compiled before, code and memory mapped from files"), nil
}

// asked serves for some seconds, and returns what requests took from the beginning of their instances on, and what their ends cost.
func asked(ctx context.Context, much effort, app *wasihttp.App) (times figures.Times, end figure, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, end, err
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- app.Server.Serve(ctx, []net.Listener{l}, nil) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-served)
	}()
	if times, err = requestsTo(much, l.Addr().String()); err != nil {
		return nil, end, err
	}
	end, err = endsOf(ctx, much, l.Addr().String())
	return times, end, err
}

// requestsTo asks, and returns what each request took from the beginning of its instance on.
func requestsTo(much effort, addr string) (times figures.Times, err error) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for end := time.Now().Add(much.asked); time.Now().Before(end) && len(times) < much.atMost; {
		resp, err := client.Get("http://" + addr)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			return nil, err
		}
		t := figures.Timings{}
		t.Add(resp.Header.Get("Server-Timing"))
		if resp.StatusCode != http.StatusOK || len(t["instance"]) != 1 || len(t["run"]) != 1 {
			return nil, fmt.Errorf("%s, Server-Timing %q", resp.Status, resp.Header.Get("Server-Timing"))
		}
		times = append(times, t["instance"][0]+t["run"][0])
	}
	return times, nil
}
