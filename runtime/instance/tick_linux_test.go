//go:build amd64 || arm64

package instance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// wait fails the test when something does not come about, long after it should have.
func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not in 10 s", what)
		}
	}
}

func (t *ticker) now() uint32    { return atomic.LoadUint32(t.tick) }
func (t *ticker) isParked() bool { return atomic.LoadUint32(&t.parked) == 1 }

// TestTheTickIsFound fails when wazero is not what it was: guests work then, but are slower.
func TestTheTickIsFound(t *testing.T) {
	if r := newTestRuntime(t, Limits{}); r.ticker == nil || r.check != weave.Tick {
		t.Error("guests are woven with fuel: look at what tickWord looks for")
	}
}

// TestAnEngineThatIsDifferentInsideHasNoTick takes wazero's interpreter for a wazero that has changed.
func TestAnEngineThatIsDifferentInsideHasNoTick(t *testing.T) {
	for name, config := range map[string]wazero.RuntimeConfig{
		"the usual":       wazero.NewRuntimeConfig(),
		"a different one": wazero.NewRuntimeConfigInterpreter(),
	} {
		engine := wazero.NewRuntimeWithConfig(t.Context(), config)
		defer engine.Close(context.Background())
		r := &Runtime{engine: engine, config: wazero.NewModuleConfig()}
		if err := r.exportYield(t.Context()); err != nil {
			t.Fatal(err)
		}
		global := r.host.ExportedGlobal(weave.TickName).(api.MutableGlobal)
		if word := tickWord(r.host, global); (word != nil) != (name == "the usual") {
			t.Errorf("%s: %v", name, word)
		} else if word != nil && global.Get() != 0 {
			t.Errorf("%s: the tick begins with %d", name, global.Get())
		}
	}
}

func TestTheTickRunsWhileGuestsDo(t *testing.T) {
	ticker := newTestRuntime(t, Limits{}).ticker
	for range 3 {
		wait(t, "park", ticker.isParked)
		was := ticker.now()
		ticker.begin()
		ticker.begin()
		ticker.end()
		wait(t, "ticks", func() bool { return ticker.now()-was > 20 })
		ticker.end()
	}
}

// TestTheTickStandsStillWhileAllGuestsWait looks at it from within functions of the host.
func TestTheTickStandsStillWhileAllGuestsWait(t *testing.T) {
	t.Run("for their input", func(t *testing.T) {
		r := newTestRuntime(t, Limits{})
		input := readerFunc(func([]byte) (int, error) {
			wait(t, "park", r.ticker.isParked)
			return 0, io.EOF
		})
		if _, err := run(t, t.Context(), load(t, r, "cat"), Call{Stdin: input}); err != nil {
			t.Error(err)
		}
	})
	t.Run("for what a function of the host waits for", func(t *testing.T) {
		var ticker *ticker
		i := group(t, Limits{}, cLike(t, func(ctx context.Context, i *GroupInstance, stack []uint64) error {
			i.GiveTurn()
			i.GiveTurn()
			wait(t, "park", ticker.isParked)
			f, err := i.group.Function(partMain, "twice")
			if err != nil {
				return err
			}
			err = f.Call(ctx, i, []uint64{1})
			wait(t, "wake", func() bool { return !ticker.isParked() }) // the guest ran, and may again
			i.GiveTurn()
			return err
		}))
		ticker = i.runtime.ticker
		if _, err := invoke(t, i, partMain, "run"); err != nil {
			t.Error(err)
		}
		if n := atomic.LoadInt32(&ticker.running); n != 0 {
			t.Errorf("%d guests run after they have ended", n)
		}
	})
}

// A count of guests below none would end the thread, and with it what makes guests stop.
func TestATurnThatNobodyHasIsNotGiven(t *testing.T) {
	i := group(t, Limits{}, cLike(t, nothing))
	ticker := i.runtime.ticker
	i.GiveTurn()
	if n := atomic.LoadInt32(&ticker.running); n != 0 {
		t.Errorf("%d guests run", n)
	}
	want(t, i, 2, partMain, "twice", 1)
	was := ticker.now()
	ticker.begin()
	defer ticker.end()
	wait(t, "a tick", func() bool { return ticker.now() != was })
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestTheTickRunsAgainHoweverItFallsAsleep(t *testing.T) {
	ticker := newTestRuntime(t, Limits{}).ticker
	for i := range 300 {
		time.Sleep(time.Duration(idleTicks*tickNanoseconds + i*1000)) // about when it parks
		was := ticker.now()
		ticker.begin()
		wait(t, "a tick", func() bool { return ticker.now() != was })
		ticker.end()
	}
}

// TestAnEngineWithoutGuestsSleeps counts how often threads are woken while nothing is to be done.
func TestAnEngineWithoutGuestsSleeps(t *testing.T) {
	ticker := newTestRuntime(t, Limits{}).ticker
	least := math.MaxInt
	for range 5 { // what else the tests left may be busy: the best counts
		wait(t, "park", ticker.isParked)
		was, before := ticker.now(), wakeups(t)
		time.Sleep(200 * tickNanoseconds)
		if ticker.now() != was {
			t.Fatal("it ticks")
		}
		least = min(least, wakeups(t)-before)
	}
	if least > 20 {
		t.Errorf("threads were woken %d times in 200 ticks", least)
	}
}

// wakeups is how often the threads of the process have waited for something.
func wakeups(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	total := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // a thread that has ended
		}
		_, rest, _ := strings.Cut(string(text), "\nvoluntary_ctxt_switches:")
		n := 0
		if _, err := fmt.Sscan(rest, &n); err != nil {
			t.Fatal(err)
		}
		total += n
	}
	return total
}

func TestTheTickGoesOnWhereItsNumbersEnd(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	m := load(t, r, "spin")
	wait(t, "park", r.ticker.isParked)
	atomic.StoreUint32(r.ticker.tick, math.MaxUint32-10)
	for around := false; !around; {
		stopsAtItsDeadline(t, m)
		around = r.ticker.now() < math.MaxUint32/2
	}
}

func stopsAtItsDeadline(t *testing.T, m *Module) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := run(t, ctx, m, Call{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
}

// TestGuestsStopWithFuelToo is for the systems that have no tick.
func TestGuestsStopWithFuelToo(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	r.check = weave.Fuel
	for _, m := range []*Module{load(t, r, "spin"), load(t, r, "spin-host"), load(t, r, "recurse-wide"), loadFile(t, r, "fill")} {
		stopsAtItsDeadline(t, m)
	}
}

func TestARuntimeLeavesNoThreadBehind(t *testing.T) {
	threads := func() int {
		all, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	open := func() {
		r, err := NewRuntime(t.Context(), Limits{Memory: pageSize})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case <-r.ticker.done:
		default:
			t.Error("it ticks after it was closed")
		}
	}
	open()
	before := threads()
	for range 100 {
		open()
	}
	if after := threads(); after > before+20 {
		t.Errorf("%d threads, %d before", after, before)
	}
}

// TestTheTickAndSignals looks from all sides at the thread that Go knows little of.
func TestTheTickAndSignals(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	m := load(t, r, "spin")
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { _, _ = run(t, ctx, m, Call{}) })
	}
	if err := pprof.StartCPUProfile(io.Discard); err == nil { // else the tests are profiled already
		defer pprof.StopCPUProfile()
	}
	if err := trace.Start(io.Discard); err == nil {
		defer trace.Stop()
	}
	for range 20 {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			tid := 0
			_, _ = fmt.Sscan(task.Name(), &tid)
			_ = syscall.Tgkill(os.Getpid(), tid, syscall.SIGURG)
		}
		stack := make([]byte, 1<<20)
		if stack = stack[:runtime.Stack(stack, true)]; !bytes.Contains(stack, []byte("(*words).run")) {
			t.Fatalf("no ticker in\n%s", stack)
		}
		for _, profile := range pprof.Profiles() {
			if err := profile.WriteTo(io.Discard, 2); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
	}
	cancel()
	group.Wait()
}

// TestACollectionEndsWhateverGuestsDo runs what would hang a process in which nothing but Go can tell guests to yield; and, so that the
// test is one, the same with a tick that stands still.
func TestACollectionEndsWhateverGuestsDo(t *testing.T) {
	if how := os.Getenv("MAYFLY_TEST_COLLECT"); how != "" {
		collectWhileGuestsSpin(t, how == "standing still")
		return
	}
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	for _, c := range []struct {
		name       string
		processors string
		hangs      bool
		within     time.Duration
	}{
		{"ticking", "1", false, time.Minute},
		{"ticking", "2", false, time.Minute},
		{"ticking", "", false, time.Minute},
		{"standing still", "2", true, 3 * time.Second},
	} {
		t.Run(c.name+" "+c.processors, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), c.within)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestACollectionEndsWhateverGuestsDo$", "-test.v")
			cmd.Env = append(os.Environ(), "MAYFLY_TEST_COLLECT="+c.name)
			if c.processors != "" {
				cmd.Env = append(cmd.Env, "GOMAXPROCS="+c.processors)
			}
			out, err := cmd.CombinedOutput()
			if c.hangs {
				if ctx.Err() == nil {
					t.Errorf("it does not hang: %v\n%s", err, out)
				}
			} else if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			for line := range strings.Lines(string(out)) {
				if strings.Contains(line, "stopped") {
					t.Log(strings.TrimSpace(line))
				}
			}
		})
	}
}

// collectWhileGuestsSpin collects while there are twice as many guests as processors.
func collectWhileGuestsSpin(t *testing.T, still bool) {
	r := newTestRuntime(t, Limits{})
	if still {
		r.ticker.close()
		r.ticker = nil
	}
	modules := []*Module{load(t, r, "spin"), load(t, r, "recurse-wide"), loadFile(t, r, "fill")}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for n := range 2 * runtime.GOMAXPROCS(0) {
		group.Go(func() { _, _ = run(t, ctx, modules[n%len(modules)], Call{}) })
	}
	time.Sleep(20 * time.Millisecond)
	before := stopping()
	for range 100 {
		runtime.GC()
	}
	after := stopping()
	cancel()
	group.Wait()
	t.Log("the world stopped after", pauses(before, after))
}

// stopping is how long collections have waited for everything to stop.
func stopping() *metrics.Float64Histogram {
	sample := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64Histogram()
}

// pauses says what has come between two readings.
func pauses(before, after *metrics.Float64Histogram) string {
	total := uint64(0)
	for i := range after.Counts {
		total += after.Counts[i] - before.Counts[i]
	}
	at := func(part float64) time.Duration {
		seen := uint64(0)
		for i := range after.Counts {
			if seen += after.Counts[i] - before.Counts[i]; float64(seen) >= part*float64(total) {
				return time.Duration(min(after.Buckets[i+1], 1e6) * 1e9).Round(time.Microsecond)
			}
		}
		return 0
	}
	return fmt.Sprintf("%v (half of %d times), %v (99 of 100), %v (always)", at(0.5), total, at(0.99), at(1))
}
