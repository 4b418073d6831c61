package wasihttp

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
)

// transferSize is how much the tests of large bodies move; MAYFLY_TEST_GIGABYTE=1 makes it a gibibyte, which takes a minute.
func transferSize() int64 {
	if os.Getenv("MAYFLY_TEST_GIGABYTE") != "" {
		return 1 << 30
	}
	return 32 << 20
}

// mostHeap bounds what the heap may grow by while a body passes, in bytes.
const mostHeap = 24 << 20

// heapGrowth watches the heap as bytes pass.
type heapGrowth struct {
	start uint64

	mu     sync.Mutex // guards what follows: an echo comes while it is sent still
	most   uint64
	passed int64
}

func newHeapGrowth() *heapGrowth {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &heapGrowth{start: m.HeapAlloc}
}

func (g *heapGrowth) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.passed>>20 != (g.passed+int64(len(p)))>>20 && g.passed>>20%4 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		g.most = max(g.most, m.HeapAlloc)
	}
	g.passed += int64(len(p))
	return len(p), nil
}

func TestLargeBodiesTakeNoMoreMemory(t *testing.T) {
	size := transferSize()
	s := serveComponent(t, sidecar(func(c *config.Sidecar) { c.Timeout = 10 * time.Minute }))
	sink := fmt.Sprintf("%s/upload", s.url)
	for _, tc := range []struct {
		name, method, path string
		body               int64
		want               int64 // bytes of the answer; 0: a sum
	}{
		{"a download", "GET", fmt.Sprintf("/download?n=%d", size), 0, size},
		{"an upload", "POST", "/upload", size, 0},
		{"an echo", "POST", "/echo", size, size},
		{"a relay to another instance", "POST", "/relay?url=" + url.QueryEscape(sink), size, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			heap := newHeapGrowth()
			var body io.Reader
			if tc.body > 0 {
				body = io.TeeReader(io.LimitReader(zeroReader{}, tc.body), heap)
			}
			r, err := http.NewRequest(tc.method, s.url+tc.path, body)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			res, err := s.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if tc.want > 0 {
				if n, err := io.Copy(heap, res.Body); n != tc.want || err != nil {
					t.Errorf("got %d bytes, %v", n, err)
				}
			} else if text, err := io.ReadAll(res.Body); err != nil || !strings.HasPrefix(string(text), fmt.Sprint(size)+" ") {
				t.Errorf("got %q, %v", text, err)
			}
			if grown := int64(heap.most) - int64(heap.start); grown > mostHeap {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
			t.Logf("%d MiB in %s, heap %d KiB more at most", size>>20, time.Since(begin).Round(time.Millisecond), (int64(heap.most)-int64(heap.start))>>10)
		})
	}
}
