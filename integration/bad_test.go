//go:build linux

package integration

import (
	"os"
	"path/filepath"
	"testing"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// badInputs: kubelet shows the text of a failed start as an event of the pod,
// so the text is what is tested, and that a good sidecar beside is not harmed.
func badInputs(e *env) {
	p := e.pod()
	main := p.main()
	p.sidecar("counter", 9999)
	zeroes := filepath.Join(e.TempDir(), "zeroes")
	e.check(mkdirFor(zeroes, 0))
	f, err := os.Create(filepath.Join(zeroes, "app.wasm"))
	e.check(err)
	e.check(f.Truncate(1 << 30)) // a sparse file: it is a gibibyte only to who reads it
	e.check(f.Close())

	guest := func(name string, env ...string) lab.Spec { return sidecarSpec(name, 8080, env...) }
	for _, bad := range []struct {
		name string
		spec lab.Spec
		says []string
	}{
		{"an empty file", guest("empty"), []string{"empty"}},
		{"no Wasm", guest("not-wasm"), []string{"not a WebAssembly module"}},
		{"a gibibyte of zeroes", lab.Spec{
			Name: "zeroes", Image: guestsImage, Args: []string{"/zeroes/app.wasm"}, Env: map[string]string{"MAYFLY_TRIGGER": "http"},
			Mounts: []*cri.Mount{{HostPath: zeroes, ContainerPath: "/zeroes", Readonly: true}},
		}, []string{"app.wasm"}},
		{"a truncated module", guest("truncated"), []string{"truncated.wasm"}},
		{"a malformed module", guest("malformed"), []string{"malformed.wasm"}},
		{"an unknown import", guest("unknown-import"), []string{"import"}},
		{"a component", guest("component"), []string{"components are not supported yet"}},
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
		e.Run(bad.name, func(t *testing.T) {
			in := *e
			in.T = t
			before, err := e.node.Snapshot()
			in.check(err)
			c, err := p.Run(e.ctx, bad.spec)
			if err == nil {
				_ = c.Remove(e.ctx)
				t.Fatal("it starts")
			}
			t.Log(err)
			in.contains("the error", err.Error(), bad.says...)
			left, err := e.node.Leaks(before)
			in.check(err)
			if len(left) > 0 {
				t.Errorf("something is left behind: %q", left)
			}
		})
	}
	e.equal("the sidecar beside", main.get("http://localhost:9999/"), "1")
}
