package wasihttp

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
)

func timeout(d time.Duration) option { return sidecar(func(c *config.Sidecar) { c.Timeout = d }) }
func instances(n int) option         { return sidecar(func(c *config.Sidecar) { c.MaxInstances = n }) }

func TestAGuestThatDoesNotEndIsStoppedAtTheTimeout(t *testing.T) {
	for _, guest := range []string{"spin", "spin-host", "recurse-wide", "sleep", "bigbody-in"} {
		t.Run(guest, func(t *testing.T) {
			s := serve(t, guest, timeout(200*time.Millisecond))
			// A body that never comes holds bigbody-in.
			_, r := s.raw(t, "POST /?ms=60000 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
			start := time.Now()
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			if took := time.Since(start); took < 100*time.Millisecond || took > 5*time.Second {
				t.Errorf("the answer took %s", took)
			}
			if res.StatusCode != 504 || !strings.Contains(string(body), "request id: ") {
				t.Errorf("got %d %s", res.StatusCode, body)
			}
			eventually(t, "the instance is gone", func() bool { return s.instances() == 0 })
		})
	}
}

func TestAnAnswerInProgressIsCutAtTheTimeout(t *testing.T) {
	s := serve(t, "slow-out", timeout(300*time.Millisecond))
	_, body, err := s.try("/?n=1000&ms=20")
	if err == nil || !strings.HasPrefix(body, ".") || len(body) > 100 {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestAClientThatDoesNotReadCannotHoldAnInstance(t *testing.T) {
	s := serve(t, "bigbody-out", timeout(300*time.Millisecond))
	s.raw(t, "GET /?n=100000000 HTTP/1.1\r\nHost: x\r\n\r\n")
	eventually(t, "the instance runs", func() bool { return s.instances() == 1 })
	eventually(t, "the instance is gone", func() bool { return s.instances() == 0 })
	eventually(t, "the log says so", func() bool { return strings.Contains(s.log.String(), "MAYFLY_TIMEOUT") })
}

func TestAClientThatLeavesStopsItsInstance(t *testing.T) {
	for _, tc := range []struct{ name, guest, request string }{
		{"asleep", "sleep", "GET /?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"computing", "spin", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"sending", "bigbody-out", "GET /?n=4000000000 HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"receiving", "bigbody-in", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"},
		{"sending a body that nobody reads", "sleep", "POST /?ms=60000 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"},
		{"sending more than is read ahead", "sleep", "POST /?ms=60000 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + pattern(100_000)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, tc.guest)
			c, _ := s.raw(t, tc.request)
			eventually(t, "the instance runs", func() bool { return s.instances() == 1 })
			c.Close()
			eventually(t, "the instance is gone", func() bool { return s.instances() == 0 })
		})
	}
}

func TestAboveTheLimitRequestsQueue(t *testing.T) {
	s := serve(t, "sleep", instances(2))
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			if res, body, err := s.try("/?ms=20"); err != nil || res.StatusCode != 200 {
				t.Errorf("got %v %q, %v", res, body, err)
			}
		})
	}
	most := 0
	done := make(chan struct{})
	go func() { wait.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			most = max(most, s.instances())
			runtime.Gosched()
		}
	}
	if most > 2 {
		t.Errorf("%d instances at once", most)
	}
}

func TestWhoWaitsTooLongIsTurnedAway(t *testing.T) {
	s := serve(t, "hello", instances(1), timeout(100*time.Millisecond))
	q := s.app.Server.queue
	q.mu.Lock()
	q.held = 1 // as if an instance ran
	q.mu.Unlock()
	res, body := s.get(t, "/")
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("got %d %v %s", res.StatusCode, res.Header, body)
	}
	q.leave()
	if res, _ := s.get(t, "/"); res.StatusCode != 200 || s.waiting() != 0 {
		t.Errorf("then %d, %d wait", res.StatusCode, s.waiting())
	}
}

func TestUnderTooMuchLoadNoGuestIsBlamed(t *testing.T) {
	for _, tc := range []struct {
		name      string
		instances option
	}{
		{"too few places", instances(2)},
		{"too little memory", func(o *Options) { o.MemoryLimit, o.Sidecar.MaxInstances = 1<<20, 10_000 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// Who starts has 1.5 s for half a second's work.
			s := serve(t, "sleep", tc.instances, timeout(3*time.Second))
			const requests = 200
			var mu sync.Mutex
			codes := map[int]int{}
			var wait sync.WaitGroup
			for range requests {
				wait.Go(func() {
					res, _, err := s.try("/?ms=500")
					if err != nil {
						t.Error(err)
						return
					}
					if res.StatusCode == 503 && res.Header.Get("Retry-After") == "" {
						t.Error("it is not said that it may be asked again")
					}
					mu.Lock()
					defer mu.Unlock()
					codes[res.StatusCode]++
				})
			}
			wait.Wait()
			if codes[200] == 0 || codes[200]+codes[503] != requests {
				t.Errorf("got %v", codes)
			}
			t.Log(codes)
			for line := range strings.Lines(s.log.String()) {
				if strings.Contains(line, "answer=\"Service Unavailable\"") && !regexp.MustCompile(`half of MAYFLY_TIMEOUT.* queue=1\.\d+s run=0s`).MatchString(line) {
					t.Fatalf("the log says %s", line)
				}
			}
		})
	}
}

func TestTheLogTellsHowLongAGuestRan(t *testing.T) {
	s := serve(t, "spin", timeout(300*time.Millisecond))
	if res, _ := s.get(t, "/"); res.StatusCode != 504 {
		t.Errorf("got %d", res.StatusCode)
	}
	line := regexp.MustCompile(`answer="Gateway Timeout".* queue=(\S+) run=(\S+)`).FindStringSubmatch(s.log.String())
	if line == nil {
		t.Fatalf("the log says %s", s.log)
	}
	queue, err := time.ParseDuration(line[1])
	run, err2 := time.ParseDuration(line[2])
	if err != nil || err2 != nil || run < 100*time.Millisecond || queue+run < 300*time.Millisecond {
		t.Errorf("queued for %s and ran for %s", line[1], line[2])
	}
}

func TestAFullQueueTurnsAway(t *testing.T) {
	s := serve(t, "hello", instances(1))
	q := s.app.Server.queue
	q.mu.Lock()
	q.held, q.waiting = 1, make([]chan struct{}, maxQueue)
	for i := range q.waiting {
		q.waiting[i] = make(chan struct{})
	}
	q.mu.Unlock()
	res, body := s.get(t, "/")
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("got %d %v %s", res.StatusCode, res.Header, body)
	}
}

func (s *served) waiting() int {
	q := s.app.Server.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

func TestAHundredAtOnceHaveAHundredInstances(t *testing.T) {
	s := serve(t, "random")
	var mu sync.Mutex
	seen := map[string]bool{}
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			res, body, err := s.try("/")
			if err != nil || res.StatusCode != 200 {
				t.Errorf("got %v, %v", res, err)
			}
			mu.Lock()
			defer mu.Unlock()
			seen[body] = true
		})
	}
	wait.Wait()
	if len(seen) != 100 {
		t.Errorf("%d different answers", len(seen))
	}
}

func TestMemoryForOneInstanceIsSharedByAll(t *testing.T) {
	// The limit leaves 4 MiB to linear memories: the guests cannot all be alive at once, and all are answered.
	s := serve(t, "sleep", func(o *Options) { o.MemoryLimit = 1 << 20 }, instances(10_000))
	var wait sync.WaitGroup
	for range 200 {
		wait.Go(func() {
			if res, body, err := s.try("/?ms=10"); err != nil || res.StatusCode != 200 {
				t.Errorf("got %v %q, %v", res, body, err)
			}
		})
	}
	wait.Wait()
}

func TestWhoWaitsForMemoryTooLongIsTurnedAway(t *testing.T) {
	s := serve(t, "sleep", func(o *Options) { o.MemoryLimit = 1 << 20 }, instances(10_000), timeout(time.Second))
	var mu sync.Mutex
	codes := map[int]int{}
	var wait sync.WaitGroup
	for range 300 {
		wait.Go(func() {
			res, _, err := s.try("/?ms=800")
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			codes[res.StatusCode]++
		})
	}
	wait.Wait()
	if codes[200] == 0 || codes[503] == 0 || codes[200]+codes[503]+codes[504] != 300 {
		t.Errorf("got %v", codes)
	}
}

func TestOthersStayFastBesideOneThatSpins(t *testing.T) {
	s := serve(t, "compute", timeout(2*time.Second))
	slow := make(chan int, 1)
	go func() {
		res, _, err := s.try("/?millions=100000")
		if err != nil {
			t.Error(err)
			slow <- 0
			return
		}
		slow <- res.StatusCode
	}()
	eventually(t, "it computes", func() bool { return s.instances() == 1 })
	var took []time.Duration
	for range 100 {
		begin := time.Now()
		if res, _ := s.get(t, "/?millions=0"); res.StatusCode != 200 {
			t.Fatalf("got %d", res.StatusCode)
		}
		took = append(took, time.Since(begin))
		runtime.GC()
	}
	slices := 0
	for _, d := range took {
		if d > 100*time.Millisecond { // generous: the machine has other work
			slices++
		}
	}
	if slices > 10 {
		t.Errorf("%d of %d requests took longer than 100 ms: %v", slices, len(took), took)
	}
	if code := <-slow; code != 504 {
		t.Errorf("the long one: %d", code)
	}
}

func TestABodyTooLargeIsRefusedBeforeItIsSent(t *testing.T) {
	s := serve(t, "bigbody-in", sidecar(func(c *config.Sidecar) { c.MaxBody = 1000 }))
	_, r := s.raw(t, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 413 {
		t.Errorf("got %v, %v", res, err)
	}
}

func TestServerTimingTellsTheParts(t *testing.T) {
	s := serve(t, "hello", sidecar(func(c *config.Sidecar) { c.ServerTiming = true }))
	res, _ := s.get(t, "/")
	if got := res.Header.Get("Server-Timing"); !regexp.MustCompile(`^queue;dur=[\d.]+, instance;dur=[\d.]+, run;dur=[\d.]+$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
}

func TestMaxInstances(t *testing.T) {
	for _, tc := range []struct {
		name                       string
		asked                      int
		limit, resident, footprint uint64
		want                       int
	}{
		{"without a limit", 0, 0, 5 << 20, 1 << 20, 10_000},
		{"as asked", 7, 64 << 20, 5 << 20, 1 << 20, 7},
		{"what fits", 0, 64 << 20, 5 << 20, 1 << 20, (40 << 20) / (1<<20 + 64<<10)},
		{"what fits beside a large module's code", 0, 64 << 20, 30 << 20, 1 << 20, (18 << 20) / (1<<20 + 64<<10)},
		{"a lot of memory", 0, 1 << 40, 5 << 20, 64 << 10, 10_000},
		{"at least one", 0, 10 << 20, 5 << 20, 4 << 20, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if n := maxInstances(tc.asked, budget(tc.limit, tc.resident), tc.footprint); n != tc.want {
				t.Errorf("got %d, want %d", n, tc.want)
			}
		})
	}
}

func TestStandardErrorIsLines(t *testing.T) {
	t.Run("a partial last line has an end", func(t *testing.T) {
		s := serve(t, "stderr")
		s.get(t, "/")
		if got := s.stderr.String(); got != "first line\nsecond line\npartial last line\n" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("long ones are split", func(t *testing.T) {
		s := serve(t, "stderr-flood")
		s.get(t, fmt.Sprintf("/?n=%d", 3*maxLine+5))
		x := strings.Repeat("x", maxLine) + "\n"
		if got := s.stderr.String(); got != x+x+x+"xxxxx\n" {
			t.Errorf("got %d bytes", len(got))
		}
	})
	t.Run("those of many instances do not mix", func(t *testing.T) {
		s := serve(t, "stderr")
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() { s.get(t, "/") })
		}
		wait.Wait()
		for line := range strings.Lines(s.stderr.String()) {
			if line != "first line\n" && line != "second line\n" && line != "partial last line\n" {
				t.Fatalf("a line reads %q", line)
			}
		}
	})
	t.Run("JSON tells the request", func(t *testing.T) {
		s := serve(t, "stderr", sidecar(func(c *config.Sidecar) { c.JSONLog = true }))
		r, _ := http.NewRequest("GET", s.url, nil)
		r.Header.Set("X-Request-Id", "the-request")
		res, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		want := regexp.MustCompile(`^\{"time":"[^"]+","stream":"stderr","request":"the-request","msg":"first line"\}\n`)
		if got := s.stderr.String(); !want.MatchString(got) || strings.Count(got, "\n") != 3 {
			t.Errorf("got %s", got)
		}
	})
}

func TestTheMemoryLimitChangesUnderLoad(t *testing.T) {
	// More than this process may have by itself, after other tests.
	s := serve(t, "sleep", func(o *Options) { o.MemoryLimit = 256 << 20 })
	fewer := s.app.MaxInstances
	if fewer < 100 || fewer > mostInstances/2 {
		t.Fatalf("%d instances at first", fewer)
	}
	var wait sync.WaitGroup
	for range 300 {
		wait.Go(func() {
			if res, body, err := s.try("/?ms=20"); err != nil || res.StatusCode != 200 {
				t.Errorf("got %v %q, %v", res, body, err)
			}
		})
	}
	for _, step := range []struct {
		limit uint64
		fits  func(n int) bool
	}{
		{1 << 30, func(n int) bool { return n > 3*fewer }},
		{1 << 20, func(n int) bool { return n >= 1 && n < 100 }},
		{256 << 20, func(n int) bool { return n == fewer }},
		{0, func(n int) bool { return n == mostInstances }},
		{320 << 20, func(n int) bool { return n > fewer && n < mostInstances }},
	} {
		if n := s.app.SetMemoryLimit(step.limit); !step.fits(n) {
			t.Errorf("%d instances with a limit of %d Mi, %d with 256", n, step.limit>>20, fewer)
		}
	}
	wait.Wait()
}

func TestAMemoryLimitThatComesLater(t *testing.T) {
	app, _, _ := load(t, "hello")
	if app.MaxInstances != mostInstances {
		t.Errorf("%d instances without a limit", app.MaxInstances)
	}
	if n := app.SetMemoryLimit(1 << 20); n < 1 || n > 100 {
		t.Errorf("%d instances with a limit", n)
	}
	app, _, _ = load(t, "hello", instances(7))
	if n := app.SetMemoryLimit(1 << 40); n != 7 {
		t.Errorf("%d instances, 7 were asked for", n)
	}
}

func TestGuestsThatAreThereWhenALimitComesAreNotTheServersOwn(t *testing.T) {
	if resident() == 0 {
		t.Skip("a process does not see its memory here")
	}
	app, _, _ := load(t, "hello")
	limit := resident() + 96<<20
	guests := make([]byte, 128<<20)
	for i := 0; i < len(guests); i += 4 << 10 {
		guests[i] = 1
	}
	n := app.SetMemoryLimit(limit)
	runtime.KeepAlive(guests)
	if least := int(leastBudget / (app.loaded.footprint() + overhead)); n <= 2*least {
		t.Errorf("%d instances, %d fit into the least budget", n, least)
	}
}
