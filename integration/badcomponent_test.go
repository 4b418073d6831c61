//go:build linux

package integration

import (
	"encoding/binary"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/guests"
)

// Sections of a component (Component Model, Binary.md, "Component Definitions").
const (
	preamble = "\x00asm\x0d\x00\x01\x00"

	coreModuleSection = 1
	componentSection  = 4
	aliasSection      = 6
	typeSection       = 7
)

// section is one of a component.
func section(id byte, content string) string {
	return string(binary.AppendUvarint([]byte{id}, uint64(len(content)))) + content
}

// nested is a component in a component, and so on.
func nested(depth int) string {
	c := preamble
	for range depth {
		c = preamble + section(componentSection, c)
	}
	return c
}

// madeComponents are components that no tool makes, by the names they have in
// the image.
func madeComponents() map[string]string {
	wasm, _ := guests.Built("http") // it is committed
	http := string(wasm)
	// Another name of the same length is another import, and all else is as it was.
	importing := func(is, instead string) string {
		if !strings.Contains(http, is) || len(is) != len(instead) {
			panic("the guest does not import " + is)
		}
		return strings.ReplaceAll(http, is, instead)
	}
	return map[string]string{
		"component-half":     http[:len(http)/2],
		"component-version":  "\x00asm\x0e\x00\x01\x00",
		"component-4gib":     preamble + "\x01\xff\xff\xff\xff\x0f",
		"component-nested":   nested(10_000),
		"component-cyclic":   preamble + section(aliasSection, "\x01\x03\x02\x00\x00"),
		"component-stream":   preamble + section(typeSection, "\x01\x66\x00"),
		"component-0.3":      importing("wasi:http/types@0.2.4", "wasi:http/types@0.3.0"),
		"component-patch":    importing("wasi:clocks/wall-clock@0.2.12", "wasi:clocks/wall-clock@0.2.99"),
		"component-keyvalue": importing("wasi:random/insecure@0.2.12", "wasi:keyvalue/store@0.2.100"),
		"component-core":     preamble + section(coreModuleSection, "\x00asm\x01\x00\x00\x00\x01\x02\x01\x70"),
	}
}

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
	out, err := e.containerd.Ctr(e.ctx, "-n", "k8s.io", "run", "--rm", "--runtime", e.runtimeType(), "--net-host", guestsImage, "bad", "/words.wasm")
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
