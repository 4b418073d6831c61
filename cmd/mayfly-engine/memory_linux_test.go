package main

import (
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/wasihttp"
)

func TestALimitIsReadAsTheKernelWritesIt(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       uint64
	}{
		{"bytes", "67108864\n", 64 << 20},
		{"none, as v2 says it", "max\n", 0},
		{"none, as v1 says it", "9223372036854771712\n", 0},
		{"more than there are", "99999999999999999999\n", 0},
		{"nothing", "", 0},
		{"less than nothing", "-1\n", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := parseLimit(tc.text); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func FuzzParseLimit(f *testing.F) {
	f.Add("67108864\n")
	f.Add("max\n")
	f.Fuzz(func(t *testing.T, text string) {
		if n := parseLimit(text); n > 0 && (n >= unlimited || !strings.Contains(text, strconv.FormatUint(n, 10))) {
			t.Errorf("%q is %d", text, n)
		}
	})
}

// cgroup makes limit the one of the container.
func cgroup(t *testing.T, limit string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "limit")
	writeLimit(t, file, limit)
	return file
}

func writeLimit(t *testing.T, file, limit string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(limit+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheLimitIsThatOfTheCgroup(t *testing.T) {
	defer func(files []string, limit int64) {
		cgroupLimits = files
		debug.SetMemoryLimit(limit)
	}(cgroupLimits, debug.SetMemoryLimit(-1))
	for _, tc := range []struct {
		name, cgroup string
		told, want   uint64
	}{
		{"raised since the container was made", "200", 100, 200},
		{"lowered", "50", 100, 50},
		{"there is none, and there was", "max", 100, 100},
		{"there is one, and there was none", "200", 0, 200},
		{"there never was one", "max", 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			debug.SetMemoryLimit(math.MaxInt64)
			cgroupLimits = []string{"/nowhere", cgroup(t, tc.cgroup)}
			m := openMemory(tc.told)
			defer m.close()
			if m.limit != tc.want {
				t.Errorf("the limit is %d, want %d", m.limit, tc.want)
			}
			collector := int64(tc.want / 100 * collectorPart)
			if tc.want == 0 {
				collector = math.MaxInt64
			}
			if got := debug.SetMemoryLimit(-1); got != collector {
				t.Errorf("the collector's is %d, want %d", got, collector)
			}
		})
	}
	t.Run("a container that does not see its cgroup", func(t *testing.T) {
		cgroupLimits = []string{"/nowhere"}
		m := openMemory(100)
		defer m.close()
		m.look()
		if m.limit != 100 {
			t.Errorf("the limit is %d", m.limit)
		}
	})
}

func TestALimitThatChangesReachesTheApp(t *testing.T) {
	defer func(files []string, limit int64) {
		cgroupLimits = files
		debug.SetMemoryLimit(limit)
	}(cgroupLimits, debug.SetMemoryLimit(-1))
	file := cgroup(t, strconv.Itoa(64<<20))
	cgroupLimits = []string{file}
	m := openMemory(0)
	defer m.close()
	m.look() // there is no app yet
	discard := slog.New(slog.DiscardHandler)
	app, err := wasihttp.Load(t.Context(), wasihttp.Options{
		Wasm: guests.Wasm("hello"), Sidecar: config.Sidecar{Memory: 64 << 20, Timeout: time.Second}, Args: []string{"app"},
		Log: discard, GuestLog: io.Discard, MemoryLimit: m.limit,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close(t.Context())
	m.follow(app, discard)
	for _, limit := range []int{256 << 20, 32 << 20} {
		writeLimit(t, file, strconv.Itoa(limit))
		m.look()
		if got := debug.SetMemoryLimit(-1); got != int64(limit/100*collectorPart) {
			t.Errorf("the collector's limit is %d of %d", got, limit)
		}
	}
	if n := testing.AllocsPerRun(100, m.look); n > 1 {
		t.Errorf("%v allocations for a look at what has not changed", n)
	}
	writeLimit(t, file, "max")
	m.look()
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("the collector's limit is %d, and the container has none", got)
	}
}

func TestAnEngineFollowsItsLimit(t *testing.T) {
	file := cgroup(t, strconv.Itoa(64<<20))
	at := listen(t)
	s := start{
		guest: "hello", env: append(slices.Clone(httpEnv), cgroupFile+"="+file), listen: []*os.File{at.file}, flags: []string{"-memory-limit", "1000000"},
	}
	p := s.run(t)
	p.expect(control.Ready)
	writeLimit(t, file, strconv.Itoa(256<<20))
	said := regexp.MustCompile(`memory limit has changed.* from=67108864 to=268435456 instances=\d+`)
	for end := time.Now().Add(10 * time.Second); !said.MatchString(p.stderr.String()); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not say so: %s", p.stderr.String())
		}
	}
	if code, body, err := at.get("/"); err != nil || code != 200 {
		t.Errorf("got %d %q, %v", code, body, err)
	}
}
