package wasihttp

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hostileRequests is how many requests the test of hostile guests makes; MAYFLY_TEST_HOSTILE=1 makes it 10,000, which takes two minutes with the race detector.
func hostileRequests() int64 {
	if os.Getenv("MAYFLY_TEST_HOSTILE") != "" {
		return 10_000
	}
	return 400
}

// openFiles is how many descriptors the process has, 0 where that cannot be told.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// leak.Main sees to it that no goroutine is left either.
func TestHostileGuestsLeaveNothingBehind(t *testing.T) {
	s := serveComponent(t, timeout(200*time.Millisecond), instances(8))
	self := url.QueryEscape(s.url)
	paths := []string{
		"/trap", "/trap?panic=1", "/trap-after-head?n=100000", "/unfinished?n=100000", "/never", "/never?drop=1", "/length", "/twice", "/spin",
		"/spin?head=1", "/recurse", "/exit?code=1", "/exit?head=1", "/allocate", "/handles?n=1000", "/sleep?ms=10000", "/sleep?ms=10000&head=1",
		"/late?ms=10000", "/cancel?url=" + self + "/download", "/cancel?after=head&url=" + self + "/download", "/get?url=" + self + "/trap-after-head",
		"/get?url=" + self + "/sleep%3Fms=10000", "/relay?url=" + self + "/unfinished", "/tcp?to=" + s.addr + "&send=GET", "/udp?to=127.0.0.1:9",
		"/resolve?name=localhost", "/status?code=99999", "/download?n=100000000", "/chunks?n=1000&ms=10",
	}
	before := openFiles()
	var next atomic.Int64
	var wait sync.WaitGroup
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for range 16 {
		wait.Go(func() {
			for n := next.Add(1); n <= hostileRequests(); n = next.Add(1) {
				var body io.Reader
				if n%3 == 0 {
					body = io.MultiReader(strings.NewReader(strings.Repeat("x", int(n%7)*20_000)))
				}
				r, err := http.NewRequest("POST", s.url+paths[n%int64(len(paths))], body)
				if err != nil {
					t.Error(err)
					return
				}
				res, err := client.Do(r)
				if err != nil {
					continue // as it should be for many
				}
				if n%5 != 0 { // others do not wait for what comes
					_, _ = io.Copy(io.Discard, res.Body)
				}
				_ = res.Body.Close()
			}
		})
	}
	wait.Wait()
	eventually(t, "all instances are gone", func() bool { return s.instances() == 0 })
	eventually(t, "it answers", func() bool {
		res, body, err := s.try("/hello")
		return err == nil && res.StatusCode == 200 && body == "hello\n"
	})
	s.app.loaded.(*program).client.close()
	s.client.CloseIdleConnections()
	eventually(t, fmt.Sprintf("descriptors are closed: there were %d", before), func() bool { return openFiles() <= before+2 })
}
