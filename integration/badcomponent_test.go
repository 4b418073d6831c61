//go:build linux

package integration

import (
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
)

func badComponents(e *env) {
	p := e.pod()
	main := p.main()
	p.component("http", 9999)
	good := p.component("http", 8080) // its listener stays, see badInputs
	e.check(good.Stop(e.ctx, once))
	e.check(good.Remove(e.ctx))
	before, err := e.node.Settled()
	e.check(err)

	guest := func(name string, env ...string) lab.Spec { return componentSpec(name, 8080, env...) }
	for _, bad := range []badInput{
		{"nothing in it", guest("component"), []string{"wasi:http/incoming-handler", "wasi:cli/run"}},
		{"half of it", guest("component-half"), []string{"component-half.wasm"}},
		{"another version", guest("component-version"), []string{"component of version 0xe"}},
		{"a section of 4 GiB", guest("component-4gib"), []string{"4294967295 bytes"}},
		{"ten thousand components in each other", guest("component-nested"), []string{"nest"}},
		{"a type that is itself", guest("component-cyclic"), []string{"type"}},
		{"streams", guest("component-stream"), []string{"stream", "0.3"}},
		{"WASI 0.3", guest("component-0.3"), []string{"wasi:http/types@0.3.0", "0.2"}},
		{"an interface that mayfly has not", guest("component-keyvalue"), []string{"wasi:keyvalue/store", "mayfly"}},
		{"an interface of another component", guest("front"), []string{"mayfly:guests/words", "wac plug"}},
		{"no entry function", guest("words"), []string{"wasi:http/incoming-handler", "wasi:cli/run"}},
		{"a malformed core module", guest("component-core"), []string{"core"}},
		{"a command that is to serve", guest("command", "MAYFLY_TRIGGER=http"), []string{"MAYFLY_TRIGGER=command"}},
		{"a server that is to be a command", guest("http", "MAYFLY_TRIGGER=command"), []string{"MAYFLY_TRIGGER=http"}},
		{"too much memory from the start", guest("http", "MAYFLY_MEMORY=64Ki"), []string{"MAYFLY_MEMORY"}},
		{"an outbound list that is none", guest("http", "MAYFLY_ALLOWED_OUTBOUND=everywhere"), []string{"MAYFLY_ALLOWED_OUTBOUND", `"everywhere"`, "for example"}},
	} {
		e.refuses(p, bad)
	}
	out, err := e.containerd.Ctr(e.ctx, "-n", "k8s.io", "run", "--rm", "--runtime", e.runtimeType(), "--net-host", lab.GuestsImage, "bad", "/words.wasm")
	if err == nil {
		e.Fatalf("it starts: %s", out)
	}
	e.contains("what ctr says", err.Error(), "wasi:http/incoming-handler")
	_, _ = e.containerd.Ctr(e.ctx, "-n", "k8s.io", "container", "rm", "bad") // ctr removes it by itself, or not
	left, err := e.node.Leaks(before)
	e.check(err)
	if len(left) > 0 {
		e.Errorf("something is left behind in the pod:\n%s", strings.Join(left, "\n"))
	}
	e.equal("the sidecar beside", main.get("http://localhost:9999/counter"), "1")
	// Another patch version of WASI 0.2 is the same.
	p.component("component-patch", 8080)
	e.contains("one of another patch version", main.get("http://localhost:8080/clock"), "wall=")
}
