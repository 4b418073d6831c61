//go:build linux

package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/mayfly-run/mayfly/internal/control"
)

func TestADeadEngineIsReplaced(t *testing.T) {
	p := startHolder(t, "crashes")
	seen := map[string]bool{}
	for range 4 {
		seen[p.ask(t)] = true
		p.waitForEngines(t, 0)
	}
	if len(seen) != 4 {
		t.Errorf("4 requests were answered by %d engines", len(seen))
	}
	p.Process.Signal(syscall.SIGTERM)
	if code := p.exitCode(t); code != 0 {
		t.Errorf("exit code %d after a clean stop", code)
	}
	if log := p.log.String(); !strings.Contains(log, "was killed (signal 9") {
		t.Errorf("the log does not say why: %s", log)
	}
}

func TestStopPassesToTheEngine(t *testing.T) {
	p := startHolder(t, "stays")
	p.ask(t)
	p.Process.Signal(syscall.SIGTERM)
	// The part has no handler: it dies of the signal, and the container reports it as a shell would.
	if code := p.exitCode(t); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit code %d", code)
	}
}

func TestAStopBeforeTheEngineIsReadyIsClean(t *testing.T) {
	p := startHolder(t, "goes idle, then loads for ever")
	p.waitForEngines(t, 0)
	fmt.Fprintln(p.dial(t), "who?")
	p.waitForEngines(t, 1)
	p.Process.Signal(syscall.SIGTERM)
	if code := p.exitCode(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestAStoppedCommandEndsAsOne(t *testing.T) {
	p := startHolder(t, "long command")
	p.Process.Signal(syscall.SIGTERM)
	if code := p.exitCode(t); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit code %d", code)
	}
}

func TestEveryStopSignalStops(t *testing.T) {
	for _, s := range []syscall.Signal{
		syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPWR,
		syscall.SIGWINCH, // as there is no terminal
		37,               // SIGRTMIN+3
	} {
		t.Run(s.String(), func(t *testing.T) {
			p := startHolder(t, "goes idle")
			p.waitForEngines(t, 0)
			p.Process.Signal(s)
			if code := p.exitCode(t); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestASidecarEndsWithTheMainContainersOfItsPod(t *testing.T) {
	for _, tc := range []struct {
		signal syscall.Signal
		code   int
		says   string
	}{
		{control.SignalDone, 0, "main containers are done: stopping"},
		{control.SignalFailed, 1, "not all of them succeeded: stopping"},
	} {
		t.Run(tc.signal.String(), func(t *testing.T) {
			p := startHolder(t, "goes idle")
			p.waitForEngines(t, 0)
			p.Process.Signal(tc.signal)
			if code := p.exitCode(t); code != tc.code {
				t.Errorf("exit code %d", code)
			}
			if log := p.log.String(); !strings.Contains(log, tc.says) {
				t.Errorf("the log does not say why: %s", log)
			}
		})
	}
}

func TestAProcessThatKeepsTheLinkOfADeadEngineHoldsUpNobody(t *testing.T) {
	p := startHolder(t, "leaves the link to a child")
	p.ask(t)
	p.mustRest(t)
	p.Process.Signal(syscall.SIGTERM)
	// The second engine has no handler.
	if code := p.exitCode(t); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit code %d; log: %s", code, p.log)
	}
}
