package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// The sources of these modules stand beside them; wat2wasm makes the one of the other.
func loadFile(t *testing.T, r *Runtime, name string) *Module {
	t.Helper()
	wasm, err := os.ReadFile("testdata/" + name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Load(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatTakesLongInOneInstructionOrCallIsStopped(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	for _, guest := range []string{"fill", "draw"} {
		t.Run(guest, func(t *testing.T) {
			m := loadFile(t, r, guest)
			const deadline = 100 * time.Millisecond
			var late time.Duration
			for range 3 { // the machine may be busy: the best counts
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				began := time.Now()
				_, err := run(t, ctx, m, Call{})
				late = time.Since(began) - deadline
				cancel()
				if !errors.Is(err, ErrStopped) {
					t.Fatalf("ended with %v", err)
				}
				if late <= lateBy {
					return
				}
			}
			t.Errorf("stopped %v after the deadline, at most %v wanted", late, lateBy)
		})
	}
}

func TestATableDoesNotGrowForEver(t *testing.T) {
	m := loadFile(t, newTestRuntime(t, Limits{}), "grow-table")
	_, err := run(t, t.Context(), m, Call{})
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 64 {
		t.Errorf("%v, want an exit with 64 times 1024 entries", err)
	}
}

func TestAStartFunctionMayEndTheGuest(t *testing.T) {
	m := loadFile(t, newTestRuntime(t, Limits{}), "start-exits")
	_, err := m.Instantiate(t.Context(), Call{Args: []string{"one"}})
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("with arguments: %v, want an exit with 3", err)
	}
	if _, err := run(t, t.Context(), m, Call{}); err != nil {
		t.Errorf("without: %v", err)
	}
}

func TestASeatFitsItsCall(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "exit")
	for i := range 40 {
		code := fmt.Sprint(i % 4)
		_, err := run(t, t.Context(), m, Call{Args: []string{"exit", code}})
		var exit *ExitError
		if i%4 != 0 && (!errors.As(err, &exit) || fmt.Sprint(exit.Code) != code) || i%4 == 0 && err != nil {
			t.Fatalf("call %d: %v, want the code %s of its argument", i, err, code)
		}
	}
}
