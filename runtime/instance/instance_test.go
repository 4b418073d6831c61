package instance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/guests"
)

func newTestRuntime(t testing.TB, l Limits) *Runtime {
	t.Helper()
	if l.Memory == 0 {
		l.Memory = 64 << 20
	}
	r, err := NewRuntime(context.Background(), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Trim()
		if used := r.budget.used.Load(); used != 0 {
			t.Errorf("%d bytes of linear memory are counted after all instances were closed", used)
		}
		if n := len(r.turns); n != 0 {
			t.Errorf("%d turns are taken after all instances were closed", n)
		}
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func load(t testing.TB, r *Runtime, guest string) *Module {
	t.Helper()
	m, err := r.Load(context.Background(), guests.Wasm(guest))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// run runs a guest once, in an instance of its own, and returns the body of its answer.
func run(t testing.TB, ctx context.Context, m *Module, c Call) (body string, err error) {
	t.Helper()
	var out bytes.Buffer
	if c.Stdout == nil {
		c.Stdout = &out
	}
	i, err := m.Instantiate(ctx, c)
	if err != nil {
		t.Error(err)
		return "", err
	}
	err = i.Run(ctx)
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	_, body, _ = strings.Cut(strings.ReplaceAll(out.String(), "\r\n", "\n"), "\n\n")
	return strings.TrimSpace(body), err
}

// query is the environment of a request with a query string.
func query(q string) []string { return []string{"REQUEST_METHOD=GET", "QUERY_STRING=" + q} }

func TestEveryInstanceIsFresh(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	for guest, want := range map[string]string{"counter": "1", "residue": "clean", "residue-table": "clean", "simd": ""} {
		t.Run(guest, func(t *testing.T) {
			m := load(t, r, guest)
			for range 20 {
				body, err := run(t, t.Context(), m, Call{})
				if err != nil {
					t.Fatal(err)
				}
				if want != "" && body != want {
					t.Fatalf("answer %q, want %q", body, want)
				}
			}
		})
	}
}

func TestRandomNumbersNeverRepeat(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "random")
	seen := map[string]bool{}
	for range 200 {
		body, err := run(t, t.Context(), m, Call{})
		if err != nil || len(body) != 32 {
			t.Fatalf("answer %q, %v", body, err)
		}
		if seen[body] {
			t.Fatalf("%s came twice", body)
		}
		seen[body] = true
	}
}

func TestClocksAreReal(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "clock")
	body, err := run(t, t.Context(), m, Call{})
	if err != nil {
		t.Fatal(err)
	}
	var wall, monotonic, later int64
	if _, err := fmt.Sscanf(body, "wall=%d monotonic=%d later=%d", &wall, &monotonic, &later); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	if off := time.Since(time.Unix(0, wall)).Abs(); off > time.Minute {
		t.Errorf("the guest's time is off by %v", off)
	}
	if later < monotonic {
		t.Errorf("the guest's monotonic clock went from %d to %d", monotonic, later)
	}
}

func TestTheEnvironmentIsTheCalls(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "env")
	body, err := run(t, t.Context(), m, Call{Env: []string{"A=1", "B=", "C=x=y", "D=ä"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "A=1\nB=\nC=x=y\nD=ä"; body != want {
		t.Errorf("environment %q, want %q", body, want)
	}
	if _, err := m.Instantiate(t.Context(), Call{Env: []string{"A=\x00"}}); err == nil {
		t.Error("a zero byte in the environment is accepted")
	}
}

func TestArgumentsAreTheCalls(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "args")
	var out bytes.Buffer
	if _, err := run(t, t.Context(), m, Call{Args: []string{"name", "one", ""}, Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "name\none\n\n") {
		t.Errorf("arguments: %q", out.String())
	}
}

func TestStdinReachesTheGuestAsItComes(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "cat")
	in, feed := io.Pipe()
	drain, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := run(t, t.Context(), m, Call{Stdin: in, Stdout: out})
		out.Close()
		done <- err
	}()
	for _, word := range []string{"may", "fly"} {
		if _, err := io.WriteString(feed, word); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(word))
		if _, err := io.ReadFull(drain, got); err != nil || string(got) != word {
			t.Fatalf("%q, %v", got, err)
		}
	}
	feed.Close()
	if rest, err := io.ReadAll(drain); err != nil || len(rest) != 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTheExitCodeIsTheGuests(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "exit")
	for _, code := range []uint32{0, 1, 3, 255} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			_, err := run(t, t.Context(), m, Call{Args: []string{"exit", fmt.Sprint(code)}})
			var exit *ExitError
			switch {
			case code == 0:
				if err != nil {
					t.Errorf("exit(0): %v", err)
				}
			case !errors.As(err, &exit) || exit.Code != code:
				t.Errorf("exit(%d): %v", code, err)
			}
		})
	}
}

func TestATrapTellsWhereItWas(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "trap")
	_, err := run(t, t.Context(), m, Call{})
	var trap *TrapError
	if !errors.As(err, &trap) {
		t.Fatalf("not a trap: %v", err)
	}
	if trap.Reason != "unreachable" {
		t.Errorf("reason %q", trap.Reason)
	}
	var names []string
	for line := range strings.Lines(trap.Stack) {
		name, _, _ := strings.Cut(line, "(")
		names = append(names, name)
	}
	if got := strings.Join(names, " "); !strings.HasPrefix(got, "c b a ") {
		t.Errorf("stack %q, want c called by b called by a", trap.Stack)
	}
}

func TestTheCallStackIsLimited(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "recurse")
	_, err := run(t, t.Context(), m, Call{})
	var trap *TrapError
	if !errors.As(err, &trap) || trap.Reason != "stack overflow" {
		t.Fatalf("endless recursion: %v", err)
	}
	// wazero's own limit leaves no stack to show.
	if !strings.HasPrefix(trap.Stack, "recurse(i32) i32\n") {
		t.Errorf("our limit was not the one that ended it: stack %q", trap.Stack)
	}
}

func TestTheEndOfTheContextStopsAnyGuest(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	for _, c := range []struct{ guest, query, innermost string }{
		{"spin", "", "spin()"},
		{"spin-host", "", "spin_host()"},
		{"recurse-wide", "", "fib(i64) i64"},
		{"compute", "millions=1000000", "$"},
		{"sleep", "ms=600000", "wasi_snapshot_preview1.poll_oneoff("},
		{"slow-out", "ms=600000", "wasi_snapshot_preview1.poll_oneoff("},
	} {
		t.Run(c.guest, func(t *testing.T) {
			m := load(t, r, c.guest)
			why := errors.New("time is up")
			ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, why)
			defer cancel()
			began := time.Now()
			_, err := run(t, ctx, m, Call{Env: query(c.query)})
			if !errors.Is(err, ErrStopped) || !errors.Is(err, why) {
				t.Fatalf("ended with: %v", err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("stopped after %v", took)
			}
			var stop *StopError
			if errors.As(err, &stop); !strings.HasPrefix(stop.Stack, c.innermost) {
				t.Errorf("stack %q, want %s at its top", stop.Stack, c.innermost)
			}
		})
	}
}

func TestMemoryGrowsUpToTheLimit(t *testing.T) {
	const limit = 8 << 20
	m := load(t, newTestRuntime(t, Limits{Memory: limit}), "allocate")
	body, err := run(t, t.Context(), m, Call{Env: query("step=64")})
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("refused at %d", limit); body != want {
		t.Errorf("answer %q, want %q", body, want)
	}
}

func TestMemoryGrowsUpToTheBudget(t *testing.T) {
	const budget = 4 << 20
	r := newTestRuntime(t, Limits{Budget: budget})
	m := load(t, r, "allocate")
	m.heap = 0 // so that the figures are round
	r.SetBudget(budget + r.budget.fixed.Load())
	for range 3 { // what one took is there for the next
		body, err := run(t, t.Context(), m, Call{Env: query("step=64")})
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("refused at %d", budget); body != want {
			t.Errorf("answer %q, want %q", body, want)
		}
	}
}

func TestWithoutBudgetThereIsNoInstance(t *testing.T) {
	r := newTestRuntime(t, Limits{Budget: 1 << 40})
	m := load(t, r, "hello")
	if _, err := run(t, t.Context(), m, Call{}); err != nil {
		t.Fatal(err)
	}
	r.SetBudget(3*m.Footprint() + r.budget.fixed.Load())
	var live []*Instance
	for range 3 {
		i, err := m.Instantiate(t.Context(), Call{})
		if err != nil {
			t.Fatal(err)
		}
		live = append(live, i)
	}
	if _, err := m.Instantiate(t.Context(), Call{}); !errors.Is(err, ErrBudget) {
		t.Errorf("a fourth instance: %v", err)
	}
	for _, i := range live {
		if err := errors.Join(i.Close(), i.Close()); err != nil {
			t.Error(err)
		}
	}
	if _, err := run(t, t.Context(), m, Call{}); err != nil {
		t.Errorf("after the others are gone: %v", err)
	}
}

func TestAnInstanceIsChargedWithWhatOthersHaveGrownTo(t *testing.T) {
	r := newTestRuntime(t, Limits{Budget: 1 << 40})
	m := load(t, r, "allocate")
	if m.heap == 0 {
		t.Error("an instance takes nothing of Go's heap")
	}
	room := func() (n int) {
		var live []*Instance
		for {
			i, err := m.Instantiate(t.Context(), Call{})
			if errors.Is(err, ErrBudget) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			live = append(live, i)
		}
		for _, i := range live {
			i.Close()
		}
		return len(live)
	}
	r.SetBudget(64 << 20)
	unknown := room()
	if most := (64 << 20) / int(m.Footprint()); unknown >= most {
		t.Errorf("%d instances of an unknown appetite, as if none would grow", unknown)
	}
	if _, err := run(t, t.Context(), m, Call{Env: query("step=64")}); err != nil {
		t.Fatal(err)
	}
	if hungry := room(); hungry >= unknown {
		t.Errorf("%d instances after one took all, %d before", hungry, unknown)
	}
	for range 200 {
		m.appetite.learn(m.initialMemory)
	}
	if modest := room(); modest <= unknown {
		t.Errorf("%d instances after 200 modest ones, %d before", modest, unknown)
	}
	// One alone may always try.
	m.appetite.learn(1 << 30)
	if n := room(); n != 1 {
		t.Errorf("%d instances of more than there is", n)
	}
}

func TestInstancesRunSideBySide(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	modules := []*Module{load(t, r, "counter"), load(t, r, "residue"), load(t, r, "trap"), load(t, r, "exit"), load(t, r, "random")}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 25 {
				m := modules[rand.N(len(modules))]
				body, err := run(t, t.Context(), m, Call{Args: []string{"x", "3"}})
				switch m {
				case modules[0]:
					if body != "1" || err != nil {
						t.Errorf("counter: %q, %v", body, err)
					}
				case modules[1]:
					if body != "clean" || err != nil {
						t.Errorf("residue: %q, %v", body, err)
					}
				}
			}
		})
	}
	group.Wait()
}

func TestAnInstanceThatNeverRanLeavesNothing(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "echo")
	i, err := m.Instantiate(t.Context(), Call{})
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Close(); err != nil {
		t.Error(err)
	}
}
