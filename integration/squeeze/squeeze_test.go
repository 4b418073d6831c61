//go:build linux

// Package squeeze has engines answer more requests than their memory allows,
// in control groups as containers have them.
package squeeze

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/integration/bare"
	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/internal/testprogram"
)

const (
	clients = 200
	burst   = 2 * time.Second
	bursts  = 2
	quiet   = 4 * time.Second // between bursts: the engine gives memory back
)

// answers are what came of a burst.
type answers struct {
	mu            sync.Mutex
	good, busy    int
	other         error // of the first that is neither
	withoutAdvice int   // of the busy ones, those that do not say when to come again
	wait          sync.WaitGroup
}

func TestMoreRequestsThanMemoryAreNoReasonToDie(t *testing.T) {
	if os.Getenv("MAYFLY_SQUEEZE") == "" {
		t.Skip("it needs root and takes some minutes: set MAYFLY_SQUEEZE=1")
	}
	engine := filepath.Join(t.TempDir(), "mayfly-engine")
	testprogram.Once("github.com/mayfly-run/mayfly/cmd/mayfly-engine")(t, engine)
	for _, tc := range []struct{ name, guest, path string }{
		{"C", "time-c", "/"},
		{"Rust", "time-rust", "/"},
		{"Rust that sleeps", "http", "/sleep?ms=300"}, // so that very many would live at once
		{"Go", "time-go", "/"},
		{"JavaScript", "time-javascript", "/"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wasm, ok := guests.Built(tc.guest)
			if !ok {
				t.Skip("it is not built: make guests")
			}
			module, compiled := filepath.Join(t.TempDir(), "app.wasm"), t.TempDir()
			if err := os.WriteFile(module, wasm, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := bare.Compile(t.Context(), engine, module, compiled); err != nil {
				t.Fatal(err)
			}
			for _, mib := range []uint64{64, 128, 256} {
				t.Run(fmt.Sprintf("in %d MiB", mib), func(t *testing.T) {
					squeeze(t, tc.path, bare.Options{Binary: engine, Module: module, Compiled: compiled, Limit: mib << 20, Env: []string{"MAYFLY_TIMEOUT=10s"}})
				})
			}
		})
	}
}

func squeeze(t *testing.T, path string, o bare.Options) {
	limit, err := bare.NewLimit(fmt.Sprintf("mayfly-squeeze-%d", os.Getpid()), o.Limit)
	if err != nil {
		t.Fatalf("it needs root and a memory controller: %v", err)
	}
	defer func() {
		if err := limit.Remove(); err != nil {
			t.Error(err)
		}
	}()
	o.Within = limit
	e, err := bare.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	defer func() {
		if !stopped {
			_, _ = e.Stop()
		}
	}()
	for n := range bursts {
		if n > 0 {
			time.Sleep(quiet)
		}
		a := &answers{}
		a.ask("http://" + e.Addr + path)
		t.Logf("%d answers, %d told to come again; at most %.1f MiB of %d", a.good, a.busy, float64(limit.Peak())/(1<<20), o.Limit>>20)
		if a.other != nil || a.good == 0 || a.withoutAdvice > 0 {
			t.Errorf("%d good answers, %d of the refusals without Retry-After, and %v", a.good, a.withoutAdvice, a.other)
		}
	}
	killed, err := limit.Killed()
	if err != nil || killed > 0 {
		t.Errorf("the kernel killed %d processes (%v)", killed, err)
	}
	stopped = true
	if text, err := e.Stop(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// ask has all clients ask for the time of a burst.
func (a *answers) ask(url string) {
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Timeout: time.Minute, Transport: transport}
	end := time.Now().Add(burst)
	for range clients {
		a.wait.Go(func() {
			for time.Now().Before(end) {
				resp, err := client.Get(url)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				a.count(resp, err)
			}
		})
	}
	a.wait.Wait()
}

func (a *answers) count(resp *http.Response, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil && resp.StatusCode == http.StatusOK:
		a.good++
		return
	case err == nil && resp.StatusCode == http.StatusServiceUnavailable:
		a.busy++
		if resp.Header.Get("Retry-After") == "" {
			a.withoutAdvice++
		}
		return
	case err == nil:
		err = fmt.Errorf("an answer %s", resp.Status)
	}
	if a.other == nil {
		a.other = err
	}
}
