package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/guests"
)

// component writes one of the guests' components to a file.
func component(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app.wasm")
	if err := os.WriteFile(file, guests.Component(t, name), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAComponentThatAnswersRequestsNeedsNoTrigger(t *testing.T) {
	at := listen(t)
	p := start{module: component(t, "http"), env: []string{"MAYFLY_IDLE_TIMEOUT=never", "A=b"}, listen: []*os.File{at.file}}.run(t)
	p.expect(control.Ready)
	for path, want := range map[string]string{"/hello": "hello\n", "/get?url=http://192.0.2.1/": "handle: http-request-denied\n"} {
		if code, body, err := at.get(path); code != 200 || body != want || err != nil {
			t.Errorf("%s: got %d %q, %v", path, code, body, err)
		}
	}
	if code, body, err := at.get("/env"); code != 200 || err != nil || !strings.Contains(body, "A=b\n") || strings.Contains(body, "MAYFLY_") {
		t.Errorf("its environment is %d %q, %v", code, body, err)
	}
	if _, body, _ := at.get("/list?path=/proc"); !strings.Contains(body, "os error") {
		t.Errorf("/proc is there: %q", body)
	}
}

func TestAComponentThatAnswersRequestsNeedsASocket(t *testing.T) {
	p := start{module: component(t, "http")}.run(t)
	if m := p.next(); m.Kind != control.Error || !strings.Contains(m.Text, "set MAYFLY_TRIGGER=http") {
		t.Errorf("the engine said %d %q", m.Kind, m.Text)
	}
	if code := p.exit(); code != 1 {
		t.Errorf("exit code %d", code)
	}
}

func TestACommandMayBeAComponent(t *testing.T) {
	p := start{module: component(t, "command"), args: []string{"exit", "7"}}.run(t)
	p.expect(control.Final, control.Ready)
	if code := p.exit(); code != 1 { // wasi:cli/exit knows good and bad
		t.Errorf("exit code %d", code)
	}
}
