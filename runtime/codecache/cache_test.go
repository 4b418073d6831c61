package codecache

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// module returns one with two exported functions: "answer" returns a number, "trap" does that.
func module(answer byte) []byte {
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		[]byte{1, 8, 2, 0x60, 0, 1, 0x7f, 0x60, 0, 0}, // types
		[]byte{3, 3, 2, 0, 1},                         // functions
		[]byte{7, 17, 2, 6}, []byte("answer"), []byte{0, 0, 4}, []byte("trap"), []byte{0, 1},
		[]byte{10, 10, 2, 4, 0, 0x41, answer, 0x0b, 3, 0, 0, 0x0b})
}

type machine struct {
	t     *testing.T
	cache *Cache
	rt    wazero.Runtime
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	r := wazero.NewRuntimeWithConfig(t.Context(), c.Configure(wazero.NewRuntimeConfigCompiler()))
	m := &machine{t: t, cache: c, rt: r}
	t.Cleanup(m.close)
	return m
}

func (m *machine) close() {
	ctx := context.Background()
	if err := errors.Join(m.rt.Close(ctx), m.cache.Close(ctx)); err != nil {
		m.t.Error(err)
	}
}

// compiled is the code of a module, written.
type compiled struct {
	code     []byte
	text     string // the file with the machine code
	skeleton []byte
}

func compile(t *testing.T, wasm []byte) compiled {
	t.Helper()
	out := compiled{text: filepath.Join(t.TempDir(), "text"), skeleton: skeletonOf(wasm)}
	f, err := os.Create(out.text)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := newMachine(t)
	_, code, err := m.cache.Compile(t.Context(), m.rt, wasm, f)
	if err != nil {
		t.Fatal(err)
	}
	if code.Key, err = m.cache.Key(t.Context(), m.rt, out.skeleton); err != nil {
		t.Fatal(err)
	}
	if out.code, err = code.AppendBinary(nil); err != nil {
		t.Fatal(err)
	}
	return out
}

// skeletonOf returns the module with functions that trap, all of them.
func skeletonOf(wasm []byte) []byte {
	at := bytes.Index(wasm, []byte{10, 10, 2})
	return append(wasm[:at:at], 10, 9, 2, 3, 0, 0, 0x0b, 3, 0, 0, 0x0b)
}

func (m *machine) load(c compiled) (wazero.CompiledModule, error) {
	m.t.Helper()
	code, err := Parse(c.code)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(c.text)
	if err != nil {
		m.t.Fatal(err)
	}
	defer f.Close()
	return m.cache.Load(m.t.Context(), m.rt, c.skeleton, code, f)
}

// answer calls a function of a module.
func (m *machine) call(c wazero.CompiledModule, name string) (uint64, error) {
	m.t.Helper()
	i, err := m.rt.InstantiateModule(m.t.Context(), c, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		m.t.Fatal(err)
	}
	defer i.Close(m.t.Context())
	results, err := i.ExportedFunction(name).Call(m.t.Context())
	if err != nil {
		return 0, err
	}
	return results[0], nil
}

func TestLoadedCodeIsThatOfTheWholeModule(t *testing.T) {
	c := compile(t, module(42))
	m := newMachine(t)
	loaded, err := m.load(c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.call(loaded, "answer"); got != 42 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := m.call(loaded, "trap"); err == nil || !strings.Contains(err.Error(), "unreachable") {
		t.Errorf("a trap: %v", err)
	}
}

func TestCodeIsAFileThatProcessesShare(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only there is it mapped")
	}
	c := compile(t, module(42))
	m := newMachine(t)
	if _, err := m.load(c); err != nil {
		t.Fatal(err)
	}
	if maps := mapsOf(t, c.text); len(maps) != 1 || !strings.Contains(maps[0], " r-xp ") {
		t.Errorf("mapped: %q", maps)
	}
}

func mapsOf(t *testing.T, file string) (found []string) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, file) {
			found = append(found, line)
		}
	}
	return found
}

func TestNothingIsMappedWhenItIsClosed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only there is it mapped")
	}
	c := compile(t, module(42))
	m := newMachine(t)
	for range 10 {
		loaded, err := m.load(c)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := m.call(loaded, "answer"); got != 42 || err != nil {
			t.Fatalf("%d, %v", got, err)
		}
		if err := loaded.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	m.close()
	for range 100 { // wazero's finalizers run some time after a collection
		runtime.GC()
		if len(mapsOf(t, c.text)) == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("left: %q", mapsOf(t, c.text))
}

func TestCodeThatIsNotOfTheModuleIsRefused(t *testing.T) {
	c := compile(t, module(42))
	for _, test := range []struct {
		name   string
		change func(t *testing.T, c *compiled)
	}{
		{"another skeleton", func(_ *testing.T, c *compiled) { c.skeleton = append(slices.Clone(c.skeleton), 0, 2, 1, 'x') }},
		{"a broken skeleton", func(_ *testing.T, c *compiled) { c.skeleton = c.skeleton[:20] }},
		{"another processor", func(_ *testing.T, c *compiled) { c.code = flip(c.code, 3) }},
		{"another sum", func(_ *testing.T, c *compiled) { c.code = flip(c.code, KeySize+1) }},
		{"another version", func(_ *testing.T, c *compiled) { c.code = flip(c.code, KeySize+tailSize+len(magic)+2) }},
		{"maps", func(_ *testing.T, c *compiled) { c.code = flip(c.code, KeySize+4) }},
		{"tables for exceptions", func(_ *testing.T, c *compiled) { c.code = flip(c.code, KeySize+5) }},
		{"the size of another", func(_ *testing.T, c *compiled) { c.code = flip(c.code, len(c.code)-offsetSize) }},
		{"a bit of the machine code", func(t *testing.T, c *compiled) {
			rewrite(t, c, func(b []byte) []byte { return flip(b, 5) })
		}},
		{"less machine code", func(t *testing.T, c *compiled) {
			rewrite(t, c, func(b []byte) []byte { return b[:len(b)-1] })
		}},
		{"more machine code", func(t *testing.T, c *compiled) {
			rewrite(t, c, func(b []byte) []byte { return append(b, 0) })
		}},
		{"no machine code", func(t *testing.T, c *compiled) {
			rewrite(t, c, func([]byte) []byte { return nil })
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := c
			rewrite(t, &changed, slices.Clone[[]byte]) // a file of its own
			test.change(t, &changed)
			m := newMachine(t)
			if loaded, err := m.load(changed); err == nil {
				t.Errorf("it was loaded: %v", loaded)
			}
			if runtime.GOOS == "linux" {
				if maps := mapsOf(t, changed.text); len(maps) > 0 {
					t.Errorf("left: %q", maps)
				}
			}
			loaded, err := m.load(c) // the right one can be loaded after that
			if err != nil {
				t.Fatal(err)
			}
			if got, err := m.call(loaded, "answer"); got != 42 || err != nil {
				t.Errorf("%d, %v", got, err)
			}
		})
	}
}

func flip(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 1
	return b
}

// rewrite makes another file of the machine code.
func rewrite(t *testing.T, c *compiled, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(c.text)
	if err != nil {
		t.Fatal(err)
	}
	c.text = filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(c.text, change(b), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAModuleThatIsThereAlreadyIsNotLoadedAgain(t *testing.T) {
	c := compile(t, module(42))
	m := newMachine(t)
	first, err := m.load(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.load(c); !errors.Is(err, ErrCode) {
		t.Errorf("the same again: %v", err)
	}
	if got, err := m.call(first, "answer"); got != 42 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
}

func TestModulesAreCompiledBesideThoseThatAreLoaded(t *testing.T) {
	c := compile(t, module(42))
	m := newMachine(t)
	loaded, err := m.load(c)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	other, _, err := m.cache.Compile(t.Context(), m.rt, module(7), &text)
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[uint64]wazero.CompiledModule{42: loaded, 7: other} {
		if got, err := m.call(c, "answer"); got != want || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	}
	if _, err := m.rt.NewHostModuleBuilder("host").NewFunctionBuilder().WithFunc(func() {}).Export("f").Compile(t.Context()); err != nil {
		t.Errorf("a module of the host: %v", err)
	}
	if _, err := m.rt.CompileModule(t.Context(), module(8)); err != nil {
		t.Errorf("a module that is compiled by wazero alone: %v", err)
	}
}

func TestManyLoadAtOnce(t *testing.T) {
	c := compile(t, module(42))
	var wait sync.WaitGroup
	defer wait.Wait()
	for range 8 {
		m := newMachine(t)
		wait.Go(func() {
			for range 20 {
				loaded, err := m.load(c)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := m.call(loaded, "answer"); got != 42 || err != nil {
					t.Errorf("%d, %v", got, err)
				}
				if err := loaded.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestAFullDiskIsAnErrorOfTheCompilation(t *testing.T) {
	m := newMachine(t)
	if _, _, err := m.cache.Compile(t.Context(), m.rt, module(42), full{}); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var _ api.Closer = (*Cache)(nil)

func FuzzParse(f *testing.F) {
	f.Add([]byte(nil))
	good := append(make([]byte, KeySize+tailSize), "WAZEVO\x03dev\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"...)
	f.Add(good)
	if _, err := Parse(good); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrCode) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if again, err := c.AppendBinary(nil); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x became %x, %v", b, again, err)
		}
		if c.Functions() > 0 && c.Size() == 0 {
			t.Error("functions without code")
		}
	})
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte("WAZEVO\x03dev\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xc3"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var text bytes.Buffer
		c, err := receive(bytes.NewReader(b), &text)
		if err == nil && text.Len() != c.Size() {
			t.Errorf("%d bytes of %d", text.Len(), c.Size())
		}
	})
}
