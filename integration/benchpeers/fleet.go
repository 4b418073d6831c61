//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/peers"
)

// The names of the servers.
const (
	nameMayfly   = "mayfly"
	nameWasmtime = "wasmtime"
	namePooling  = "wasmtime-pooling"
	nameReuse    = "wasmtime-reuse"
	nameJco      = "jco"
	nameKept     = "container-kept"
	nameEach     = "container-each"

	// And of those that need not compile when they start.
	nameMayflyCached        = "mayfly-cached"
	nameWasmtimePrecompiled = "wasmtime-precompiled"
)

// pooling is what wasmtime offers to those who care for the time of a request and not for memory: pages and tables that an instance
// has used stay and are written over, and the kernel is asked which of them were used.
var pooling = []string{
	"-Opooling-allocator=y", "-Opooling-memory-keep-resident=4194304", "-Opooling-table-keep-resident=1048576",
	"-Opooling-async-stack-keep-resident=1048576", "-Opooling-max-unused-warm-slots=1000", "-Opooling-decommit-batch-size=16", "-Opooling-pagemap-scan=y",
}

// kind is a server as it is measured.
type kind struct {
	*peers.Server
	what string // for who reads the report
	// fresh says that each request has an instance that nobody had before.
	fresh bool
	// only is the one component that it is measured with, "": all.
	only string
	// prepare compiles what a node would have compiled before, and returns the file to be served.
	prepare func(ctx context.Context, e lab.Example) (file string, err error)
}

// fleet is what there is to measure.
type fleet struct {
	kinds  []kind
	starts []start
	native *peers.Native // nil: there are no containers here
	each   bool          // containers are also started for each request
}

// start is a way to start a server, of which the first request is measured.
type start struct {
	name, what string
	server     *peers.Server
	// prepare does what is done once before, and returns the file to be served.
	prepare func(ctx context.Context, e lab.Example) (file string, err error)
	// anew is called before each start.
	anew func() error
}

// findFleet finds or builds the servers. What cannot be had is left out, except mayfly.
func findFleet(dir, logs string, p plan, progress *lab.Progress, r *results) (*fleet, error) {
	guest := peers.Guest{}
	f := &fleet{}
	mayfly, err := peers.Mayfly(dir, progress, guest)
	if err != nil {
		return nil, err
	}
	forget := cacheOf(mayfly, dir)
	cached := func(ctx context.Context, e lab.Example) (string, error) {
		p, err := mayfly.Start(ctx, peers.Job{Component: e.Name + "-compile", File: e.Module, Logs: logs})
		if err == nil {
			p.Stop()
		}
		return e.Module, err
	}
	f.kinds = append(f.kinds, kind{mayfly, "mayfly serve: the engine that a pod has, a fresh instance for each request", true, "", cached})
	f.starts = append(f.starts,
		start{nameMayfly, "compiles the component", mayfly, asItIs, forget},
		start{nameMayflyCached, "finds it compiled in its cache", mayfly, cached, nothing})
	want := func(name string) bool { return p.Servers == nil || p.Servers.MatchString(name) }
	if want(nameWasmtime) || want(namePooling) || want(nameReuse) {
		if w, err := peers.FindWasmtime(progress); err != nil {
			r.leaveOut("wasmtime: %v", err)
		} else {
			f.wasmtime(w, dir)
		}
	}
	if want(nameJco) {
		if jco, err := peers.Jco(progress, guest); err != nil {
			r.leaveOut("jco: %v", err)
		} else {
			f.kinds = append(f.kinds, kind{jco, "jco serve --isolate-requests instance: on Node.js, a fresh instance for each request", true, "", asItIs})
			f.starts = append(f.starts, start{nameJco, "translates the component to JavaScript, Node.js compiles it", jco, asItIs, nothing})
		}
	}
	if want(nameKept) || want(nameEach) {
		if f.native, err = peers.FindNative(dir, progress); err != nil {
			r.leaveOut("containers: %v", err)
		} else {
			f.kinds = append(f.kinds, kind{f.native.Server(nameKept),
				"an ordinary program in Go that does the same, in a container of runc that is kept: one process for all requests", false, "go", asItIs})
		}
	}
	unwanted := func(name string) bool { return name != nameMayfly && name != nameMayflyCached && !want(name) }
	f.kinds = slices.DeleteFunc(f.kinds, func(k kind) bool { return unwanted(k.Name) })
	f.starts = slices.DeleteFunc(f.starts, func(s start) bool { return unwanted(s.name) })
	for _, k := range f.kinds {
		r.Servers = append(r.Servers, described{k.Name, k.Version, k.what, said(k.Command("time.wasm", 8080, "DIR"), dir), k.fresh})
	}
	if f.each = f.native != nil && want(nameEach); f.each {
		r.Servers = append(r.Servers, described{nameEach, f.native.Version,
			"the same program in a container that is started for each request and deleted after it", "runc run --detach", true})
	}
	return f, nil
}

func (f *fleet) wasmtime(w *peers.Wasmtime, dir string) {
	precompiled := func(_ context.Context, e lab.Example) (string, error) {
		to := filepath.Join(dir, e.Name+".cwasm")
		if _, err := os.Stat(to); err == nil {
			return to, nil
		}
		return to, w.Compile(e.Module, to)
	}
	serve := func(name string, flags ...string) *peers.Server {
		return w.Server(name, peers.Guest{}, append([]string{"--allow-precompiled"}, flags...)...)
	}
	reuse := serve(nameReuse, "--max-instance-reuse-count", "128")
	reuse.Cannot = func(component string) string {
		if component == "js" {
			return "what componentize-js makes answers one request of an instance"
		}
		return ""
	}
	f.kinds = append(f.kinds,
		kind{serve(nameWasmtime), "wasmtime serve as it comes: a fresh instance for each request, from the pooling allocator, which it chooses by itself", true, "", precompiled},
		kind{serve(namePooling, pooling...), "the same with its options for the pooling allocator: memory that instances have used stays", true, "", precompiled},
		kind{reuse, "the same with one instance for 128 requests: NOT fresh, a request can see what others left; to see what fresh instances cost", false, "", precompiled})
	compiles := w.Server(nameWasmtime, peers.Guest{})
	f.starts = append(f.starts,
		start{nameWasmtime, "compiles the component", compiles, asItIs, cacheOf(compiles, dir)},
		start{nameWasmtimePrecompiled, "is given the output of wasmtime compile", serve(nameWasmtimePrecompiled), precompiled, nothing})
}

// cacheOf gives a server a cache of this run's, so that no figure depends on what was on the machine before, and returns what forgets it.
func cacheOf(s *peers.Server, dir string) (forget func() error) {
	cache := filepath.Join(dir, "cache-"+s.Name)
	s.Env = append(s.Env, "XDG_CACHE_HOME="+cache)
	return func() error { return os.RemoveAll(cache) }
}

func asItIs(_ context.Context, e lab.Example) (string, error) { return e.Module, nil }

func nothing() error { return nil }

// said is a command as a person would write it, without directories of this run.
func said(args []string, dir string) string {
	var words []string
	for i, a := range args {
		if i < 2 && filepath.IsAbs(a) {
			a = filepath.Base(a)
		}
		words = append(words, strings.ReplaceAll(a, dir, "DIR"))
	}
	return strings.Join(words, " ")
}

// of are the servers that a component is measured with.
func (f *fleet) of(component string, leaveOut func(format string, args ...any)) []kind {
	var all []kind
	for _, k := range f.kinds {
		if k.only != "" && k.only != component {
			continue
		}
		if k.Cannot != nil {
			if why := k.Cannot(component); why != "" {
				leaveOut("%s with %s: %s", k.Name, component, why)
				continue
			}
		}
		all = append(all, k)
	}
	return all
}
