package weave_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"reflect"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// corpus returns modules of all kinds, by where they come from.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, name := range guests.Names() {
		all[name] = guests.Wasm(name)
	}
	for _, file := range files("testdata/*.wasm", "../instance/testdata/*.wasm", "../instance/testdata/group/*.wasm") {
		wasm, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[file] = wasm
	}
	return all
}

func TestASkeletonIsAGoodModuleWithTheSameImportsAndExports(t *testing.T) {
	for name, wasm := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			m, err := weave.Read(wasm)
			if err != nil {
				t.Skip(err)
			}
			woven, err := m.Weave()
			if err != nil || compile(woven) != nil {
				t.Skip(err)
			}
			skeleton, err := weave.Skeleton(woven)
			if err != nil {
				t.Fatal(err)
			}
			if len(skeleton) > len(woven)+100 {
				t.Errorf("it has %d bytes, the module %d", len(skeleton), len(woven))
			}
			ctx := context.Background()
			whole, err := validator().CompileModule(ctx, woven)
			if err != nil {
				t.Fatal(err)
			}
			defer whole.Close(ctx)
			outline, err := validator().CompileModule(ctx, skeleton)
			if err != nil {
				t.Fatal(err)
			}
			defer outline.Close(ctx)
			if a, b := len(whole.ImportedFunctions()), len(outline.ImportedFunctions()); a != b {
				t.Errorf("%d functions are imported, and not %d", b, a)
			}
			for name, f := range whole.ExportedFunctions() {
				g := outline.ExportedFunctions()[name]
				if g == nil || g.Index() != f.Index() || g.DebugName() != f.DebugName() {
					t.Errorf("%s: %v", name, g)
				}
			}
			if n, err := weave.Bodies(skeleton); err != nil || n == 0 || n != bodies(t, woven) {
				t.Errorf("%d functions of %d, %v", n, bodies(t, woven), err)
			}
		})
	}
}

func bodies(t *testing.T, wasm []byte) int {
	t.Helper()
	n, err := weave.Bodies(wasm)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestASkeletonOfAModuleWithOtherBodiesIsAnother(t *testing.T) {
	answer := func(n string) []byte {
		return module("\x01\x01\x60\x00\x01\x7f", functions, "\x0a\x01\x04\x00\x41"+n+"\x0b")
	}
	one, err := weave.Skeleton(answer("\x01"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := weave.Skeleton(answer("\x02"))
	if err != nil {
		t.Fatal(err)
	}
	if len(one) != len(two) || bytes.Equal(one, two) {
		t.Errorf("%x, %x", one, two)
	}
}

func TestAnOutlineIsReadAsTheModuleIs(t *testing.T) {
	for name, wasm := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			whole, err := weave.Read(wasm)
			if err != nil {
				t.Skip(err)
			}
			b, err := weave.Outline(wasm)
			if err != nil {
				t.Fatal(err)
			}
			outline, err := weave.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(outline.Exports(), whole.Exports()) || !reflect.DeepEqual(outline.Imports, whole.Imports) ||
				!reflect.DeepEqual(outline.Memory, whole.Memory) || outline.HasStart() != whole.HasStart() {
				t.Error("it has other imports, exports, memories, or another start function")
			}
			for _, taken := range []int{0, whole.Segments()} {
				if got, want := outline.Unrestorable(taken), whole.Unrestorable(taken); got != want {
					t.Errorf("of its state it is said: %q, want %q", got, want)
				}
			}
		})
	}
}

func FuzzSkeleton(f *testing.F) {
	for _, name := range []string{"hello", "residue", "residue-table"} {
		f.Add(guests.Wasm(name))
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		for _, cut := range []func([]byte) ([]byte, error){weave.Skeleton, weave.Outline} {
			b, err := cut(wasm)
			if err != nil {
				var e *weave.Error
				if !errors.As(err, &e) {
					t.Errorf("an error of another kind: %v", err)
				}
				continue
			}
			again, err := cut(b)
			if err != nil {
				t.Fatalf("what is left cannot be read: %v", err)
			}
			if _, err := weave.Bodies(b); err != nil {
				t.Error(err)
			}
			if len(again) > len(b)+100 {
				t.Errorf("%d bytes, then %d", len(b), len(again))
			}
		}
	})
}

func TestACanaryAnswersInTheWholeModuleAndTrapsInItsSkeleton(t *testing.T) {
	ctx := context.Background()
	for _, want := range []int64{0, 1, -1, 63, 64, -64, -65, 1 << 40, -1 << 63, 1<<63 - 1} {
		m, err := weave.Read(module(types, functions, "\x0a\x01\x02\x00\x0b"))
		if err != nil {
			t.Fatal(err)
		}
		m.Canary = want
		woven, err := m.Weave()
		if err != nil {
			t.Fatal(err)
		}
		skeleton, err := weave.Skeleton(woven)
		if err != nil {
			t.Fatal(err)
		}
		call := func(wasm []byte) (int64, error) {
			r := wazero.NewRuntime(ctx)
			defer r.Close(ctx)
			provideYield(t, r)
			i, err := r.Instantiate(ctx, wasm)
			if err != nil {
				t.Fatal(err)
			}
			results, err := i.ExportedFunction(weave.CanaryName).Call(ctx)
			if err != nil {
				return 0, err
			}
			return int64(results[0]), nil
		}
		if got, err := call(woven); got != want || err != nil {
			t.Errorf("%d, %v: want %d", got, err, want)
		}
		if got, err := call(skeleton); err == nil {
			t.Errorf("the skeleton answers %d", got)
		}
	}
}
