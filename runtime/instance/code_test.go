package instance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/compiled"
	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// recordModule compiles a module into a directory, and returns its outline.
func recordModule(t testing.TB, wasm []byte, dir string) ([]byte, error) {
	t.Helper()
	r, err := NewRecorder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background())
	if _, err := r.Compile(t.Context(), wasm); err != nil {
		return nil, err
	}
	return outlined(t, r, wasm), nil
}

// outlined ends a recording.
func outlined(t testing.TB, r *Runtime, wasm []byte) []byte {
	t.Helper()
	outline, err := weave.Outline(wasm)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Seal(sha256.Sum256(wasm)); err != nil {
		t.Fatal(err)
	}
	return outline
}

// recorded returns a runtime with the code in a directory.
func recorded(t testing.TB, l Limits, dir string) (*Runtime, error) {
	t.Helper()
	e, err := compiled.Open(dir)
	if err != nil {
		return nil, err
	}
	if l.Memory == 0 {
		l.Memory = 64 << 20
	}
	r, err := NewRuntimeFrom(context.Background(), l, e)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r, nil
}

// varies are guests whose answers differ from run to run, or that end late or when they are told to.
var varies = []string{"allocate", "clock", "compute", "random", "recurse-wide", "slow-out", "spin", "spin-host", "start-spins", "sleep", "sleep-cmd"}

// TestCodeThatIsLoadedDoesWhatTheModuleDoes runs every guest both ways: answers, traps and where, exits, what is refused.
func TestCodeThatIsLoadedDoesWhatTheModuleDoes(t *testing.T) {
	outcome := func(r *Runtime, load func() (*Module, error)) string {
		m, err := load()
		if err != nil {
			return fmt.Sprintf("not loaded: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		text := ""
		for _, q := range []string{"", "17"} {
			var out, stderr bytes.Buffer
			i, err := m.Instantiate(ctx, Call{Args: []string{"guest", "a"}, Env: query(q), Stdin: strings.NewReader("some input"), Stdout: &out, Stderr: &stderr})
			if err != nil {
				return text + fmt.Sprintf("not instantiated: %v", err)
			}
			err = errors.Join(i.Run(ctx), i.Close())
			var trap *TrapError
			if errors.As(err, &trap) {
				text += trap.Stack
			}
			text += fmt.Sprintf("%q %q %v\n", out.String(), stderr.String(), err)
		}
		return text
	}
	for _, name := range guests.Names() {
		if slices.Contains(varies, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			wasm := guests.Wasm(name)
			plain := newTestRuntime(t, Limits{})
			want := outcome(plain, func() (*Module, error) { return plain.Load(t.Context(), wasm) })
			dir := t.TempDir()
			outline, err := recordModule(t, wasm, dir)
			if err != nil {
				if got := fmt.Sprintf("not loaded: %v", err); got != want {
					t.Errorf("it is not compiled: %v\nbut: %s", err, want)
				}
				return
			}
			r, err := recorded(t, Limits{}, dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := outcome(r, func() (*Module, error) { return r.Load(t.Context(), outline) }); got != want {
				t.Errorf("loaded code does\n%s\nand the module\n%s", got, want)
			}
		})
	}
}

func TestLoadedCodeIsStopped(t *testing.T) {
	for _, name := range []string{"spin", "recurse"} {
		dir := t.TempDir()
		outline, err := recordModule(t, guests.Wasm(name), dir)
		if err != nil {
			t.Fatal(err)
		}
		r, err := recorded(t, Limits{}, dir)
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Load(t.Context(), outline)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		var stop *StopError
		if _, err := run(t, ctx, m, Call{}); name == "spin" && !errors.As(err, &stop) || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAGroupIsLoadedFromItsCode(t *testing.T) {
	echo := func(_ context.Context, _ *GroupInstance, stack []uint64) error { stack[0] += 1000; return nil }
	spec := cLike(t, echo)
	dir := t.TempDir()
	outlines := recordGroup(t, spec, dir)
	for range 2 {
		r, err := recorded(t, Limits{}, dir)
		if err != nil {
			t.Fatal(err)
		}
		plain := newTestRuntime(t, Limits{})
		want, got := groupOutcome(t, plain, spec), groupOutcome(t, r, outlines)
		if want != got {
			t.Errorf("loaded code does\n%s\nand the modules\n%s", got, want)
		}
	}
}

// recordGroup compiles a group into a directory and returns its spec with outlines.
func recordGroup(t *testing.T, spec GroupSpec, dir string) GroupSpec {
	t.Helper()
	r, err := NewRecorder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background())
	g, err := r.LoadGroup(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(context.Background())
	parts := slices.Clone(spec.Parts)
	for k := range parts {
		if parts[k].Wasm, err = weave.Outline(parts[k].Wasm); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Seal(sha256.Sum256(nil)); err != nil {
		t.Fatal(err)
	}
	spec.Parts = parts
	return spec
}

// groupOutcome is what the functions that parts of a group export return, called with small numbers, and what its memories hold then.
func groupOutcome(t *testing.T, r *Runtime, spec GroupSpec) string {
	t.Helper()
	g, err := r.LoadGroup(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(context.Background())
	if err := g.Try(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	text := ""
	for k := range g.parts {
		names := make([]string, 0, len(g.parts[k].exports))
		for name, kind := range g.parts[k].exports {
			if endless := []string{"spin", "again", "fill for ever", "often"}; kind == weave.Function && !slices.Contains(endless, name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			i, err := g.Instantiate(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			f, err := g.Function(k, name)
			if err != nil {
				t.Fatal(err)
			}
			stack := []uint64{3, 4, 5, 6}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			err = f.Call(ctx, i, stack)
			cancel()
			var trap *TrapError
			if errors.As(err, &trap) {
				text += trap.Stack
			}
			text += fmt.Sprintf("%d %s: %v, %v", k, name, stack, err)
			for n := range i.memories.all {
				text += fmt.Sprintf(" %x", sha256.Sum256(i.memories.all[n].Bytes()))
			}
			text += "\n"
			if err := i.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return text
}

func TestAMemoryLimitIsNotPartOfTheCode(t *testing.T) {
	dir := t.TempDir()
	outline, err := recordModule(t, guests.Wasm("allocate"), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, memory := range []uint64{2 << 20, 8 << 20, 64 << 20} {
		answers := map[string]bool{}
		r, err := recorded(t, Limits{Memory: memory}, dir)
		if err != nil {
			t.Fatal(err)
		}
		plain := newTestRuntime(t, Limits{Memory: memory})
		for _, load := range []func() (*Module, error){
			func() (*Module, error) { return r.Load(t.Context(), outline) },
			func() (*Module, error) { return plain.Load(t.Context(), guests.Wasm("allocate")) },
		} {
			m, err := load()
			if err != nil {
				t.Fatal(err)
			}
			body, err := run(t, t.Context(), m, Call{Env: query("max=16384")})
			answers[fmt.Sprint(body, err)] = true
		}
		if len(answers) != 1 {
			t.Errorf("with %d bytes of memory: %v", memory, answers)
		}
	}
}

// TestCodeThatWasChangedIsNotRun changes every file of an entry in every way that a disk, or somebody, might.
func TestCodeThatWasChangedIsNotRun(t *testing.T) {
	good, other := t.TempDir(), t.TempDir()
	outline, err := recordModule(t, guests.Wasm("hello"), good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := recordModule(t, guests.Wasm("echo"), other); err != nil {
		t.Fatal(err)
	}
	load := func(dir string) error {
		r, err := recorded(t, Limits{}, dir)
		if err != nil {
			return err
		}
		_, err = r.Load(t.Context(), outline)
		return err
	}
	if err := load(good); err != nil {
		t.Fatal(err)
	}
	if err := load(other); !errors.Is(err, compiled.ErrInvalid) {
		t.Errorf("the code of another module: %v", err)
	}
	files, err := os.ReadDir(good)
	if err != nil || len(files) != 5 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		whole, err := os.ReadFile(filepath.Join(good, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		foreign, err := os.ReadFile(filepath.Join(other, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		changes := map[string][]byte{"empty": {}, "half": whole[:len(whole)/2], "longer": append(slices.Clone(whole), 0), "another's": foreign}
		for _, at := range []int{0, 7, len(whole) / 3, len(whole) / 2, len(whole) - 1} {
			if at < len(whole) {
				b := slices.Clone(whole)
				b[at] ^= 0x10
				changes[fmt.Sprint("bit of byte ", at)] = b
			}
		}
		for what, b := range changes {
			if bytes.Equal(b, whole) {
				continue
			}
			dir := filepath.Join(t.TempDir(), "entry")
			if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, f.Name()), b, 0o644); err != nil {
				t.Fatal(err)
			}
			// What memories begin with is data: who puts an entry into a cache verifies it, the engine does not read it at each start.
			if err := load(dir); err == nil && f.Name() != imagesFile {
				t.Errorf("%s, %s: it is loaded", f.Name(), what)
			}
			if err := compiled.Verify(dir, sha256.Sum256(guests.Wasm("hello"))); err == nil {
				t.Errorf("%s, %s: it is valid", f.Name(), what)
			}
		}
	}
}

func TestCodeOfAnotherBuildIsNotRun(t *testing.T) {
	for name, change := range map[string]func(*compiled.Origin){
		"of mayfly": func(o *compiled.Origin) { o.Engine += "x" },
		"of wazero": func(o *compiled.Origin) { o.Wazero += "x" },
		"with fuel": func(o *compiled.Origin) { o.Options = "check 7" },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := recordModule(t, guests.Wasm("hello"), dir); err != nil {
				t.Fatal(err)
			}
			e, err := compiled.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			o := e.Origin()
			change(&o)
			if err := os.Remove(filepath.Join(dir, compiled.ManifestName)); err != nil {
				t.Fatal(err)
			}
			if err := compiled.Seal(dir, o); err != nil {
				t.Fatal(err)
			}
			if _, err := recorded(t, Limits{}, dir); !errors.Is(err, compiled.ErrInvalid) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestTheCanaryFindsCodeOfAnotherModule makes an entry as nobody could who has no access to it: all sums are right, and the code is another's.
func TestTheCanaryFindsCodeOfAnotherModule(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	twin := func(answer byte) []byte { // two modules that differ in a number only
		return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"), []byte{1, 4, 1, 0x60, 0, 0}, []byte{3, 2, 1, 0},
			[]byte{7, 10, 1, 6}, []byte("_start"), []byte{0, 0}, []byte{10, 7, 1, 5, 0, 0x41, answer, 0x1a, 0x0b})
	}
	outline, err := recordModule(t, twin(1), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := recordModule(t, twin(2), other); err != nil {
		t.Fatal(err)
	}
	e, err := compiled.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	o := e.Origin()
	// The machine code of the other, its sums, and the rest of ours.
	text, err := os.ReadFile(filepath.Join(other, codeFile(0)))
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := readRest(t, dir), readRest(t, other)
	ours.code, theirs.code.Key = theirs.code, ours.code.Key
	b, err := ours.append(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.WriteFile(filepath.Join(dir, codeFile(0)), text, 0o644),
		os.WriteFile(filepath.Join(dir, moduleFile(0)), b, 0o644),
		os.Remove(filepath.Join(dir, compiled.ManifestName)),
		compiled.Seal(dir, o),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err := recorded(t, Limits{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Load(t.Context(), outline); err == nil || !strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

func readRest(t *testing.T, dir string) *moduleRest {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, moduleFile(0)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseModuleRest(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestManyRuntimesLoadTheSameCodeAtOnce(t *testing.T) {
	dir := t.TempDir()
	outline, err := recordModule(t, guests.Wasm("hello"), dir)
	if err != nil {
		t.Fatal(err)
	}
	before := countMaps(t, dir)
	var wait sync.WaitGroup
	for range 6 {
		wait.Go(func() {
			for range 4 {
				e, err := compiled.Open(dir)
				if err != nil {
					t.Error(err)
					return
				}
				r, err := NewRuntimeFrom(context.Background(), Limits{Memory: 64 << 20}, e)
				if err != nil {
					t.Error(err)
					return
				}
				m, err := r.Load(t.Context(), outline)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := run(t, t.Context(), m, Call{}); err != nil {
					t.Error(err)
				}
				if err := r.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	for range 200 { // wazero's finalizers run some time after a collection
		runtime.GC()
		if countMaps(t, dir) == before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d of its files are mapped still", countMaps(t, dir)-before)
}

// countMaps is how often files of a directory are mapped.
func countMaps(t *testing.T, dir string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	return strings.Count(string(b), dir)
}

func TestNobodyWritesToAFileThatIsThere(t *testing.T) {
	for _, name := range []string{codeFile(0), moduleFile(0), imagesFile, memoryFile} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := recordModule(t, guests.Wasm("hello"), dir); !errors.Is(err, os.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRecordedFiles(f *testing.F) {
	dir := f.TempDir()
	if _, err := recordModule(f, guests.Wasm("hello"), dir); err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{moduleFile(0), memoryFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseModuleRest(b); err == nil {
			if again, err := m.append(nil); err != nil || !bytes.Equal(again, b) {
				t.Errorf("a module became another: %v", err)
			}
		} else if !errors.Is(err, compiled.ErrInvalid) {
			t.Errorf("an error of another kind: %v", err)
		}
		if _, _, err := parseMemory(b); err != nil && !errors.Is(err, compiled.ErrInvalid) {
			t.Errorf("an error of another kind: %v", err)
		}
	})
}
