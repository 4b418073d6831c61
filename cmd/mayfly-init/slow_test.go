//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

// startSlow starts a holder and a second engine, by a request that waits for it.
func startSlow(t *testing.T) (*holderProcess, conn) {
	t.Helper()
	p := startProbed(t, "goes idle, then is slow")
	p.waitForEngines(t, 0)
	first := p.dial(t)
	fmt.Fprintln(first, "who?")
	for deadline := time.Now().Add(10 * time.Second); p.state(t).Doing != control.Loading; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("a tool is told %+v", p.state(t))
		}
	}
	return p, first
}

// loaded lets the slow engine become ready.
func (p *holderProcess) loaded(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.Dir, loadedFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestProbesAreAnsweredWhileAnEngineLoadsSlowly(t *testing.T) {
	p, first := startSlow(t)
	for range 3 {
		if status, sentence := p.probe(t); status != 200 || !strings.Contains(sentence, "waking up") {
			t.Errorf("a probe was told %d %s", status, sentence)
		}
	}
	p.mustRest(t)
	p.loaded(t)
	if answer, err := io.ReadAll(first); err != nil || len(answer) == 0 {
		t.Errorf("got %q, %v", answer, err)
	}
}

func TestWhoComesWhileAnEngineLoadsSlowlyIsHandedOver(t *testing.T) {
	p, first := startSlow(t)
	clients := []conn{first}
	for range 2 * maxIdlers {
		c := p.dial(t)
		fmt.Fprintln(c, "who?")
		clients = append(clients, c)
	}
	p.probe(t)
	p.loaded(t)
	for i, c := range clients {
		if answer, err := io.ReadAll(c); err != nil || len(answer) == 0 {
			t.Errorf("client %d got %q, %v", i, answer, err)
		}
	}
}

func TestTheDoorIsShutWhenTooManyWait(t *testing.T) {
	p, first := startSlow(t)
	clients := []conn{first}
	for range maxWaiting + 10 { // the last wait outside
		c := p.dial(t)
		fmt.Fprintln(c, "who?")
		clients = append(clients, c)
	}
	p.mustRest(t)
	p.loaded(t)
	for i, c := range clients {
		if answer, err := io.ReadAll(c); err != nil || len(answer) == 0 {
			t.Errorf("client %d got %q, %v", i, answer, err)
		}
	}
}

func TestWhoComesWhileAnEngineLoadsSlowlyAndDiesIsForTheNext(t *testing.T) {
	p, first := startSlow(t)
	second := p.dial(t)
	fmt.Fprintln(second, "who?")
	p.probe(t) // so that the one before is inside
	if err := unix.Kill(p.state(t).Engine, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.loaded(t)
	for _, c := range []conn{first, second} {
		if answer, err := io.ReadAll(c); err != nil || len(answer) == 0 {
			t.Errorf("got %q, %v", answer, err)
		}
	}
	if n := p.starts(); n != 3 {
		t.Errorf("%d engines were started", n)
	}
}

func TestThoseOfEnginesThatDieWhileLoadingDoNotGrowBeyondWhatAnEngineTakes(t *testing.T) {
	const takes = 1024 // see mayfly-engine's maxFiles
	h := &holder{}
	for range maxTries - 1 { // engines, with a crowd at the door of each
		for h.engine != nil && !h.full() {
			h.waiting.visitors = append(h.waiting.visitors, visitor{fd: -1, manner: spoke})
		}
		for range maxIdlers {
			h.waiting.visitors = append(h.waiting.visitors, visitor{fd: -1})
		}
		if h.engine != nil {
			h.waiting.takeBack(h.engine.conns)
		}
		h.engine = &engine{conns: h.waiting.leave()}
		if n := len(h.engine.conns); n > takes {
			t.Fatalf("an engine is handed %d connections", n)
		}
	}
}
