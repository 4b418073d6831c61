//go:build unix

package instance

import (
	"context"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// programs is what each program of the compute suite is asked for, so that it takes some milliseconds.
var programs = map[string]uint64{"crc": 20, "fib": 29, "mandelbrot": 96, "matmul": 2, "sha": 4, "sieve": 3, "sort": 2}

// program returns a program's modules, which differ in nothing but where its code lies.
func program(t testing.TB, name string) (modules [][]byte) {
	t.Helper()
	files, err := filepath.Glob("testdata/compute/" + name + "-*.wasm")
	if err != nil || len(files) != 4 {
		t.Fatalf("%d modules of %s, %v", len(files), name, err)
	}
	for _, f := range files {
		wasm, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		modules = append(modules, wasm)
	}
	return modules
}

// variant is a program as it is, or woven.
type variant func(t testing.TB, rounds uint64) (result uint64)

// asItIs runs a program as an engine would without this package.
func asItIs(t testing.TB, wasm []byte) variant {
	t.Helper()
	engine := wazero.NewRuntime(t.Context())
	t.Cleanup(func() { engine.Close(context.Background()) })
	m, err := engine.Instantiate(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	f := m.ExportedFunction("run")
	return func(t testing.TB, rounds uint64) uint64 {
		stack := []uint64{rounds}
		if err := f.CallWithStack(context.Background(), stack); err != nil {
			t.Fatal(err)
		}
		return stack[0]
	}
}

// checked runs it in a group.
func checked(t testing.TB, wasm []byte, check weave.Check) variant {
	t.Helper()
	r := newTestRuntime(t, Limits{})
	if check == weave.Tick && r.check != check {
		t.Skip("there is no tick here")
	}
	r.check = check
	g, err := r.LoadGroup(t.Context(), GroupSpec{Parts: []Part{{Wasm: wasm}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close(context.Background()) })
	i, err := g.Instantiate(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	f, err := g.Function(0, "run")
	if err != nil {
		t.Fatal(err)
	}
	return func(t testing.TB, rounds uint64) uint64 {
		stack := []uint64{rounds}
		if err := f.Call(context.Background(), i, stack); err != nil {
			t.Fatal(err)
		}
		return stack[0]
	}
}

func TestProgramsComputeTheSameWhenWoven(t *testing.T) {
	for name := range programs {
		t.Run(name, func(t *testing.T) {
			wasm := program(t, name)[0]
			plain, tick, fuel := asItIs(t, wasm), checked(t, wasm, weave.Tick), checked(t, wasm, weave.Fuel)
			for n := range uint64(3) {
				if want, got, also := plain(t, n), tick(t, n), fuel(t, n); got != want || also != want {
					t.Errorf("%d rounds: %d as it is, %d with ticks, %d with fuel", n, want, got, also)
				}
			}
		})
	}
}

// BenchmarkCompute asks what the check costs a guest that computes: how long each program takes with it, relative to the module as it is.
// The variants take turns, and it is the median of all turns that counts, of processor time, all threads together: a machine that does
// something else beside makes less of a difference to it.
func BenchmarkCompute(b *testing.B) {
	var sums comparison
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		b.Run(name, func(b *testing.B) {
			var placed []comparison
			var variants [][kinds]variant
			for _, wasm := range program(b, name) {
				placed = append(placed, comparison{})
				variants = append(variants, [...]variant{asItIs(b, wasm), checked(b, wasm, weave.Tick), checked(b, wasm, weave.Fuel)})
			}
			for b.Loop() {
				for p := range placed {
					placed[p].measure(b, variants[p], programs[name])
				}
			}
			var all comparison
			for _, c := range placed {
				all.add(c.medians())
			}
			means := all.means()
			sums.add(means)
			means.report(b)
			b.ReportMetric(means[0]/float64(time.Millisecond), "plain-ms")
		})
	}
	b.Run("geometric mean", func(b *testing.B) {
		for b.Loop() {
		}
		sums.means().report(b)
	})
}

// kinds are the variants of a program: as it is, with ticks, with fuel.
const kinds = 3

// figures are the processor time of the program as it is, and the others' relative to that.
type figures [kinds]float64

type comparison [kinds][]float64

func (c *comparison) add(f figures) {
	for k := range c {
		c[k] = append(c[k], f[k])
	}
}

func (c *comparison) measure(b *testing.B, variants [kinds]variant, rounds uint64) {
	var f figures
	for k, v := range variants {
		began := processorTime(b)
		v(b, rounds)
		f[k] = float64(processorTime(b) - began)
	}
	f[1] /= f[0]
	f[2] /= f[0]
	c.add(f)
}

func (c *comparison) medians() (f figures) {
	for k := range c {
		slices.Sort(c[k])
		f[k] = c[k][len(c[k])/2]
	}
	return f
}

// means are geometric.
func (c *comparison) means() (f figures) {
	for k := range c {
		sum := 0.0
		for _, v := range c[k] {
			sum += math.Log(v)
		}
		f[k] = math.Exp(sum / float64(len(c[k])))
	}
	return f
}

func (f figures) report(b *testing.B) {
	b.ReportMetric(0, "ns/op") // of all variants together: of no use
	b.ReportMetric(f[1], "tick-ratio")
	b.ReportMetric(f[2], "fuel-ratio")
}

func processorTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// TestEveryPartOfAGroupStops lets the parts compute in turn, all of one instance, until a deadline passes or the client goes away.
func TestEveryPartOfAGroupStops(t *testing.T) {
	r := newTestRuntime(t, Limits{})
	var spec GroupSpec
	for name := range programs {
		spec.Parts = append(spec.Parts, Part{Wasm: program(t, name)[0], Name: name})
	}
	g, err := r.LoadGroup(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close(context.Background()) })
	i, err := g.Instantiate(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	for part := range spec.Parts {
		f, err := g.Function(part, "run")
		if err != nil {
			t.Fatal(err)
		}
		const after = 20 * time.Millisecond
		rounds := uint64(1 << 31)
		if spec.Parts[part].Name == "fib" {
			rounds = 60 // deep enough
		}
		for how, end := range map[string]func() (context.Context, context.CancelFunc){
			"a deadline": func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), after) },
			"the client": func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(after, cancel)
				return ctx, cancel
			},
		} {
			ctx, cancel := end()
			began := time.Now()
			err := f.Call(ctx, i, []uint64{rounds})
			t.Logf("%s is stopped %v after %s", spec.Parts[part].Name, time.Since(began)-after, how)
			cancel()
			if !errors.Is(err, ErrStopped) {
				t.Errorf("%s ended with %v", spec.Parts[part].Name, err)
			}
		}
	}
}
