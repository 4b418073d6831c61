//go:build linux

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// badInput is what cannot run, and what the error must say of it.
type badInput struct {
	name string
	spec lab.Spec
	says []string
}

// refuses sees that a pod's container does not start, and with which words.
func (e *env) refuses(p *pod, bad badInput) {
	e.Run(bad.name, func(t *testing.T) {
		in := *e
		in.T = t
		c, err := p.Run(e.ctx, bad.spec)
		if err == nil {
			_ = c.Remove(e.ctx)
			t.Fatal("it starts")
		}
		t.Log(err)
		in.contains("the error", err.Error(), bad.says...)
	})
}

// badInputs: kubelet shows the text of a failed start as an event of the pod,
// so the text is what is tested, and that a good sidecar beside is not harmed.
func badInputs(e *env) {
	p := e.pod()
	main := p.main()
	p.sidecar("counter", 9999)
	// The shim keeps a listener for as long as the pod is there: have it now,
	// so that what a bad sidecar leaves shows.
	good := p.sidecar("counter", 8080)
	e.check(good.Stop(e.ctx, 10*time.Second))
	e.check(good.Remove(e.ctx))
	before, err := e.node.Settled()
	e.check(err)

	guest := func(name string, env ...string) lab.Spec { return sidecarSpec(name, 8080, env...) }
	for _, bad := range []badInput{
		{"an empty file", guest("empty"), []string{"empty"}},
		{"no Wasm", guest("text"), []string{"not a WebAssembly module"}},
		{"a truncated module", guest("truncated"), []string{"truncated.wasm"}},
		{"a malformed module", guest("malformed"), []string{"malformed.wasm"}},
		{"an unknown import", guest("unknown-import"), []string{"import"}},
		{"too much memory from the start", guest("big-memory"), []string{"MAYFLY_MEMORY"}},
		{"no entry function", guest("no-start"), []string{"_start"}},
		{"a start function that traps", guest("start-traps"), []string{"start"}},
		{"a start function that spins", guest("start-spins"), []string{"start"}},
		{"port 0", guest("hello", "PORT=0"), []string{"PORT", `"0"`}},
		{"port 65536", guest("hello", "PORT=65536"), []string{"PORT", `"65536"`}},
		{"an address that is not in the pod", guest("hello", "MAYFLY_LISTEN=192.0.2.1:8080"), []string{"192.0.2.1:8080", "no such address"}},
		{"an address that is none", guest("hello", "MAYFLY_LISTEN=over there"), []string{"MAYFLY_LISTEN", "for example"}},
		{"a time that is none", guest("hello", "MAYFLY_TIMEOUT=soon"), []string{"MAYFLY_TIMEOUT", `"soon"`, "for example"}},
		{"a size that is none", guest("hello", "MAYFLY_MEMORY=much"), []string{"MAYFLY_MEMORY", `"much"`, "for example"}},
		{"a trigger that is none", guest("hello", "MAYFLY_TRIGGER=wish"), []string{"MAYFLY_TRIGGER", `"wish"`}},
	} {
		e.refuses(p, bad)
	}
	left, err := e.node.Leaks(before)
	e.check(err)
	if len(left) > 0 {
		e.Errorf("something is left behind in the pod:\n%s", strings.Join(left, "\n"))
	}
	e.equal("the sidecar beside", main.get("http://localhost:9999/"), "1")
}

// hugeFiles are a gibibyte long, but only to who reads them: they are sparse,
// in a root filesystem that is a directory and not an image.
func hugeFiles(e *env) {
	for i, bad := range []struct{ start, says string }{
		{"", "not a WebAssembly module"},
		{"\x00asm\x01\x00\x00\x00", "app.wasm"},
	} {
		root := filepath.Join(e.TempDir(), "root")
		e.check(mkdirFor(root, 65532))
		app := filepath.Join(root, "app.wasm")
		e.check(os.WriteFile(app, []byte(bad.start), 0o644))
		e.check(os.Truncate(app, 1<<30))
		id := fmt.Sprint("huge-", i)
		out, err := e.containerd.Ctr(e.ctx, "-n", "k8s.io", "run", "--rm", "--runtime", e.runtimeType(), "--net-host", "--rootfs", root, id, "/app.wasm")
		if err == nil {
			e.Fatalf("it starts: %s", out)
		}
		e.Log(err)
		e.contains("the error", err.Error(), bad.says)
		_, _ = e.containerd.Ctr(e.ctx, "-n", "k8s.io", "container", "rm", id) // ctr removes it by itself, or not
	}
}
