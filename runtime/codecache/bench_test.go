package codecache

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

var benchmarked = wazero.NewRuntimeConfigCompiler().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst | experimental.CoreFeaturesTailCall).
	WithDebugInfoEnabled(false)

// BenchmarkLoad: how long does a module take to be loaded whose code is there already: as wazero's directory of code does it, and as this package
// does?
func BenchmarkLoad(b *testing.B) {
	for _, name := range []string{"time-rust", "time-go", "time-javascript"} {
		wasm := woven(b, name)
		if wasm == nil {
			continue
		}
		b.Run(name+"/directory", func(b *testing.B) {
			dir := b.TempDir()
			timed(b, func() (close func()) {
				cache, err := wazero.NewCompilationCacheWithDir(dir)
				if err != nil {
					b.Fatal(err)
				}
				r := wazero.NewRuntimeWithConfig(b.Context(), benchmarked.WithCompilationCache(cache))
				if _, err := r.CompileModule(b.Context(), wasm); err != nil {
					b.Fatal(err)
				}
				return func() { _, _ = r.Close(b.Context()), cache.Close(b.Context()) }
			})
		})
		b.Run(name+"/skeleton", func(b *testing.B) {
			text := filepath.Join(b.TempDir(), "text")
			skeleton, code := compileFor(b, wasm, text)
			timed(b, func() (close func()) {
				cache, err := New()
				if err != nil {
					b.Fatal(err)
				}
				r := wazero.NewRuntimeWithConfig(b.Context(), cache.Configure(benchmarked))
				f, err := os.Open(text)
				if err != nil {
					b.Fatal(err)
				}
				defer f.Close()
				if _, err := cache.Load(b.Context(), r, skeleton, code, f); err != nil {
					b.Fatal(err)
				}
				return func() { _, _ = r.Close(b.Context()), cache.Close(b.Context()) }
			})
		})
	}
}

// timed reports what load takes. It is called once before, to compile what is not compiled yet.
func timed(b *testing.B, load func() (close func())) {
	load()()
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		begin := time.Now()
		end := load()
		took = append(took, time.Since(begin))
		end()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[0])/1e6, "best-ms")
	b.ReportMetric(float64(took[len(took)/2])/1e6, "p50-ms")
}

// woven returns the largest core module of a component as package instance has it compiled; nil where nobody has built the component.
func woven(b *testing.B, name string) []byte {
	b.Helper()
	wasm, ok := guests.Built(name)
	if !ok {
		return nil
	}
	c, err := binary.Decode(wasm)
	if err != nil {
		b.Fatal(err)
	}
	var largest []byte
	for _, d := range c.Definitions {
		if m, ok := d.(*binary.CoreModule); ok && len(m.Bytes) > len(largest) {
			largest = m.Bytes
		}
	}
	m, err := weave.Read(largest)
	if err != nil {
		b.Fatal(err)
	}
	links := make([]weave.Link, len(m.Imports))
	for i := range links {
		links[i] = weave.Link{Module: "h", Name: strconv.Itoa(i)}
	}
	if err := m.Relink(links); err != nil {
		b.Fatal(err)
	}
	if m.Memory != nil {
		_, n := m.Data(m.Memory.Min<<16, func(int) (int32, bool) { return 0, false })
		m.TakeData(n)
	}
	out, err := m.Weave()
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// compileFor compiles a module, the machine code into a file.
func compileFor(b *testing.B, wasm []byte, text string) (skeleton []byte, code *Code) {
	b.Helper()
	cache, err := New()
	if err != nil {
		b.Fatal(err)
	}
	r := wazero.NewRuntimeWithConfig(b.Context(), cache.Configure(benchmarked))
	defer func() { _, _ = r.Close(b.Context()), cache.Close(b.Context()) }()
	var machine bytes.Buffer
	if _, code, err = cache.Compile(b.Context(), r, wasm, &machine); err != nil {
		b.Fatal(err)
	}
	if skeleton, err = weave.Skeleton(wasm); err != nil {
		b.Fatal(err)
	}
	if code.Key, err = cache.Key(b.Context(), r, skeleton); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(text, machine.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	return skeleton, code
}
