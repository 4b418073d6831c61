//go:build linux

package cluster

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// load asks a sidecar without a pause, as its node would, on a connection that
// stays and on a new one each time.
type load struct {
	e       *env
	cancel  context.CancelFunc
	workers sync.WaitGroup

	mu       sync.Mutex // guards what follows
	answered int
	failures []string
}

// load starts to ask a pod. It must be stopped.
func (e *env) load(pod string, port int) *load {
	e.Helper()
	url := fmt.Sprintf("http://%s:%d/", e.pod(pod).Status.PodIP, port)
	ctx, cancel := context.WithCancel(e.ctx)
	l := &load{e: e, cancel: cancel}
	for _, fresh := range []bool{false, true} {
		transport := &http.Transport{DisableKeepAlives: fresh, DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			return e.cluster.Node.DialFrom(1, address)
		}}
		l.workers.Go(func() {
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				if err := ask(ctx, transport, url); !l.note(ctx, err) {
					time.Sleep(50 * time.Millisecond) // who is refused does not insist
				}
			}
		})
	}
	e.Cleanup(func() { l.cancel(); l.workers.Wait() })
	l.more(10)
	return l
}

func ask(ctx context.Context, transport *http.Transport, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// note counts an answer, or why there is none, and tells which it was.
func (l *load) note(ctx context.Context, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.answered++
	} else if ctx.Err() == nil { // else it was stopped
		l.failures = append(l.failures, time.Now().Format("15:04:05.000 ")+err.Error())
	}
	return err == nil
}

// more waits until n more requests are answered.
func (l *load) more(n int) {
	l.e.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.answered
	}
	enough := count() + n
	l.e.eventually(fmt.Sprintf("%d requests more are answered", n), func() bool { return count() >= enough })
}

// stop ends the load; every request must have been answered.
func (l *load) stop() {
	l.e.Helper()
	l.cancel()
	l.workers.Wait()
	if n := len(l.failures); n > 0 {
		l.e.Fatalf("of %d requests %d are lost:\n%s", l.answered+n, n, strings.Join(slices.Compact(l.failures[:min(n, 10)]), "\n"))
	}
}
