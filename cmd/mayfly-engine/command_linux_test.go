package main

import (
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/control"
)

func TestACommandsExitCodeIsTheGuests(t *testing.T) {
	for _, tc := range []struct {
		name, guest    string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"it ends well", "hello-cmd", nil, 0, "hello from a command\n", "and from its stderr\n"},
		{"a code", "exit", []string{"7"}, 7, "", ""},
		{"the largest code", "exit", []string{"255"}, 255, "", ""},
		{"a code that no process can have", "exit", []string{"256"}, 255, "", ""},
		{"a trap", "trap", nil, 134, "", "stack"},
		{"arguments", "args", []string{"one", ""}, 0, "app\none\n\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := start{guest: tc.guest, args: tc.args}.run(t)
			p.expect(control.Final, control.Ready)
			if code := p.exit(); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			if out := p.stdout.String(); !strings.HasSuffix(out, tc.stdout) {
				t.Errorf("stdout %q", out)
			}
			if err := p.stderr.String(); !strings.Contains(err, tc.stderr) {
				t.Errorf("stderr %q", err)
			}
		})
	}
}

func TestACommandReadsItsInput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := start{guest: "cat", stdin: r}.run(t)
	_, _ = io.WriteString(w, "what\ncomes")
	w.Close()
	if code := p.exit(); code != 0 || p.stdout.String() != "what\ncomes" {
		t.Errorf("exit code %d, stdout %q", code, p.stdout.String())
	}
}

func TestSIGTERMStopsACommand(t *testing.T) {
	for _, tc := range []struct {
		name, guest string
		args        []string
	}{
		{"that sleeps", "sleep-cmd", []string{"60000"}},
		{"that computes", "spin", nil},
		{"that waits for its input", "cat", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			p := start{guest: tc.guest, args: tc.args, stdin: r}.run(t)
			p.expect(control.Final, control.Ready)
			time.Sleep(100 * time.Millisecond) // until it runs
			p.signal(syscall.SIGTERM)
			if code := p.exit(); code != 143 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}
