package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/guests"
)

// writeComponent writes the component called name into a file.
func writeComponent(t *testing.T, name, file string) {
	t.Helper()
	if err := os.WriteFile(file, guests.Component(t, name), 0o644); err != nil {
		t.Fatal(err)
	}
}

// commands read their input and write it out.
var commands = map[string][]string{
	"a core module":             {"run", "cat.wasm"},
	"a component":               {"run", "job.wasm", "--", "cat"},
	"a component, by its name":  {"run", "job.wasm", "--invoke", "wasi:cli/run#run()", "--", "cat"},
	"a core module that serves": {"serve", "--trigger", "command", "cat.wasm"},
	"a component that serves":   {"serve", "job.wasm", "--", "cat"},
}

func TestACommandReadsStandardInput(t *testing.T) {
	inGuestsDirectory(t)
	writeComponent(t, "command", "job.wasm")
	for name, args := range commands {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := doMain(args, strings.NewReader("some text\n"), &stdout, &stderr)
			if code != 0 || strings.TrimSuffix(stdout.String(), "ok\n") != "some text\n" {
				t.Errorf("exit %d, printed %q: %s", code, stdout.String(), stderr.String())
			}
		})
	}
}

func TestACommandThatWaitsForInputStops(t *testing.T) {
	inGuestsDirectory(t)
	writeComponent(t, "command", "job.wasm")
	for name, args := range commands {
		t.Run(name, func(t *testing.T) {
			stdin, keepOpen, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			defer keepOpen.Close()
			ctx, stop := context.WithCancel(context.Background())
			out, stdout := io.Pipe()
			code := make(chan int)
			go func() {
				code <- execute(ctx, args, stdin, stdout, io.Discard)
			}()
			if _, err := keepOpen.WriteString("x\n"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(out, make([]byte, 2)); err != nil {
				t.Fatal(err)
			}
			stop() // the guest waits for more
			select {
			case c := <-code:
				if c != exitStopped {
					t.Errorf("exit %d, want %d", c, exitStopped)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("the command goes on waiting")
			}
		})
	}
}

func TestARunEndsAtItsTimeout(t *testing.T) {
	inGuestsDirectory(t)
	writeComponent(t, "command", "job.wasm")
	stdin, keepOpen, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	defer keepOpen.Close()
	for _, behaviour := range [][]string{{"cat"}, {"sleep", "600000"}} {
		var stderr bytes.Buffer
		code := doMain(append([]string{"run", "job.wasm", "--timeout", "50ms", "--"}, behaviour...), stdin, io.Discard, &stderr)
		if code != exitTimeout || !strings.Contains(stderr.String(), "--timeout") {
			t.Errorf("%v: exit %d: %s", behaviour, code, stderr.String())
		}
	}
}

func TestInputEndsForAReaderThatNobodyWaitsFor(t *testing.T) {
	stdin, keepOpen, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	defer keepOpen.Close()
	in, release, err := newInput(t.Context(), stdin)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ended := make(chan error)
	go func() {
		_, err := in.Read(make([]byte, 1))
		ended <- err
	}()
	i := in.(*input)
	if err := i.SetReadDeadline(time.Now().Add(time.Hour)); !errors.Is(err, os.ErrNoDeadline) {
		t.Errorf("a deadline that is to come: %v, want ErrNoDeadline", err)
	}
	if err := i.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the read ended with %v", err)
	}
}

func TestRunGivesTheGuestItsFiles(t *testing.T) {
	inGuestsDirectory(t)
	writeComponent(t, "command", "job.wasm")
	if err := errors.Join(os.Mkdir("data", 0o755), os.WriteFile("data/note", []byte("noted"), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir, args string
		code      int
		printed   string
	}{
		{"data:/data", "read /data/note", 0, "noted"},
		{"data::/data", "read /data/note", 0, "noted"},
		{"data:/data:ro", "read /data/note", 0, "noted"},
		{"data:/data:ro", "write /data/note changed", 1, ""},
		{"data:/data", "read /data/../../etc/hostname", 1, ""},
		{"data:/data", "write /data/new written", 0, ""},
		{"data:/data", "read /data/new", 0, "written"},
	} {
		var stdout, stderr bytes.Buffer
		code := doMain(append([]string{"run", "job.wasm", "--dir", c.dir, "--"}, strings.Fields(c.args)...), strings.NewReader(""), &stdout, &stderr)
		if code != c.code || stdout.String() != c.printed {
			t.Errorf("--dir %s %s: exit %d, printed %q: %s", c.dir, c.args, code, stdout.String(), stderr.String())
		}
	}
}

func TestRunGivesTheGuestItsVariablesOnly(t *testing.T) {
	inGuestsDirectory(t)
	writeComponent(t, "command", "job.wasm")
	t.Setenv("SECRET", "of the shell")
	run(t, "build", "job.wasm", "-t", "job:v1", "-e", "FROM_IMAGE=1", "-e", "GREETING=image")
	var stdout, stderr bytes.Buffer
	if code := doMain([]string{"run", "job.tar", "-e", "GREETING=flag", "--", "env"}, strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if got, want := stdout.String(), "GREETING=flag\nFROM_IMAGE=1\n"; len(got) != len(want) || !strings.Contains(got, "GREETING=flag\n") {
		t.Errorf("the guest sees %q", got)
	}
}
