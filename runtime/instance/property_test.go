package instance

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/wasmgen"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// Properties of instances, tried with random modules: see package wasmgen. Each is run by the engine alone, as it is, and the way that guests
// are run here: woven, its tables made into code, its memories begun as images, in slots that other instances had before. Nobody can tell
// one from the other.
//
// MAYFLY_PROPERTIES=20000 tries so many groups instead of a few hundred, and MAYFLY_PROPERTIES_FROM=7 begins with that seed. Without an end:
// go test -run - -fuzz FuzzProperties -fuzzminimizetime 10x ./runtime/instance

// propertyMemory is what an instance may have: few pages, all of which are compared.
const propertyMemory = 2 * wasmgen.MaxPages * pageSize

// properties calls try with seeds.
func properties(t *testing.T, usually int, try func(t *testing.T, seed []byte)) {
	n, from := usually, 0
	if underRace {
		n /= 10
	}
	if testing.Short() {
		n /= 4
	}
	for name, to := range map[string]*int{"MAYFLY_PROPERTIES": &n, "MAYFLY_PROPERTIES_FROM": &from} {
		if text := os.Getenv(name); text != "" {
			v, err := strconv.Atoi(text)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			*to = v
		}
	}
	for k := from; k < from+n && !t.Failed(); k++ {
		try(t, binary.LittleEndian.AppendUint32(nil, uint32(k)))
		if t.Failed() {
			t.Logf("seed %d: MAYFLY_PROPERTIES=1 MAYFLY_PROPERTIES_FROM=%d go test -run '^%s$' ./runtime/instance", k, k, t.Name())
		}
	}
}

// ours is a group as guests are run here.
type ours struct {
	group  *Group
	random *wasmgen.Group
	called map[string]*Function
	after  *randomHost // what the host of a snapshot's instance has been; nil: instances begin anew
}

func newOurs(t testing.TB, r *Runtime, g *wasmgen.Group, keepAll bool) *ours {
	t.Helper()
	var spec GroupSpec
	for k, f := range g.Host {
		spec.Host = append(spec.Host, HostFunc{Name: "host", Params: f.Params, Results: f.Results,
			Call: func(_ context.Context, i *GroupInstance, stack []uint64) error {
				return i.Owner().(*randomHost).call(k, f, stack)
			}})
	}
	for k := range g.Modules {
		m := &g.Modules[k]
		p := Part{Wasm: m.Wasm, Name: wasmgen.PartName(k)}
		for _, im := range m.Imports {
			if im.Part == wasmgen.Host {
				number, err := strconv.Atoi(im.Name)
				if err != nil {
					t.Fatal(err)
				}
				p.Imports = append(p.Imports, Target{Part: Host, Host: number})
			} else {
				p.Imports = append(p.Imports, Target{Part: im.Part, Export: im.Name})
			}
		}
		if !keepAll {
			p.Exports = []string{}
			for _, e := range m.Exports {
				if e.Kind == wasmgen.Function && e.Role != wasmgen.Inner {
					p.Exports = append(p.Exports, e.Name)
				}
			}
		}
		spec.Parts = append(spec.Parts, p)
	}
	group, err := r.LoadGroup(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	o := &ours{group: group, random: g, called: map[string]*Function{}}
	for k := range g.Modules {
		for _, e := range g.Modules[k].Exports {
			if e.Kind != wasmgen.Function || e.Role == wasmgen.Inner {
				continue
			}
			if o.called[functionKey(k, e.Name)], err = group.Function(k, e.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return o
}

func functionKey(part int, name string) string { return strconv.Itoa(part) + name }

func (o *ours) close(t testing.TB) {
	if err := o.group.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

type ourInstance struct {
	*GroupInstance
	ours *ours
}

func (o *ours) begin(h *randomHost) (fresh, string) {
	if o.after != nil {
		*h = *o.after
	}
	i, err := o.group.Instantiate(context.Background(), h)
	if err != nil {
		return nil, ourReason(err)
	}
	return &ourInstance{i, o}, ""
}

// ourReason is why a call or an instantiation ended.
func ourReason(err error) string {
	var trap *TrapError
	switch {
	case errors.Is(err, ErrStopped):
		return ErrStopped.Error()
	case errors.Is(err, ErrBudget):
		return ErrBudget.Error()
	case errors.As(err, &trap):
		return trap.Reason
	}
	return err.Error()
}

func (i *ourInstance) call(ctx context.Context, part int, e *wasmgen.Export, stack []uint64) string {
	if err := i.ours.called[functionKey(part, e.Name)].Call(ctx, i.GroupInstance, stack); err != nil {
		return ourReason(err)
	}
	return results(e.Type.Results, stack)
}

func (i *ourInstance) memory(part int) []byte {
	return i.memories.all[i.group.parts[part].memory].Bytes()
}

func (i *ourInstance) end() { _ = i.Close() }

// beyond reports whether memory that the instance does not have yet is zero: the guest would find it so when it grows.
func (i *ourInstance) beyond() bool {
	for k := range i.memories.all {
		m := &i.memories.all[k]
		for _, b := range m.slot.bytes(propertyMemory)[m.size:] {
			if b != 0 {
				return false
			}
		}
	}
	return true
}

// differ compares what was seen and reports the first difference.
func differ(t testing.TB, what string, want, got []string) bool {
	t.Helper()
	if slices.Equal(want, got) {
		return false
	}
	for k := range max(len(want), len(got)) {
		w, g := "nothing", "nothing"
		if k < len(want) {
			w = want[k]
		}
		if k < len(got) {
			g = got[k]
		}
		if w == g {
			continue
		}
		if a, b := strings.Split(w, "; "), strings.Split(g, "; "); len(a) == len(b) && len(a) > 1 {
			for n := range a {
				if a[n] != b[n] {
					t.Errorf("%s, step %d of %d: by the engine alone %s, here %s", what, k, len(want), a[n], b[n])
				}
			}
			return true
		}
		t.Errorf("%s, step %d of %d:\nby the engine alone %s\nhere %s", what, k, len(want), w, g)
		return true
	}
	return true
}

func TestNobodyCanTellAnInstanceFromOneTheEngineMadeAnew(t *testing.T) {
	r := newTestRuntime(t, Limits{Memory: propertyMemory})
	properties(t, 300, func(t *testing.T, seed []byte) { tryGroup(t, r, seed) })
}

// FuzzProperties lets the fuzzer choose the modules.
func FuzzProperties(f *testing.F) {
	for k := range 20 {
		f.Add(binary.LittleEndian.AppendUint32(nil, uint32(k)))
	}
	f.Fuzz(func(t *testing.T, seed []byte) { tryGroup(t, newTestRuntime(t, Limits{Memory: propertyMemory}), seed) })
}

// scriptRandom chooses what is done with the modules of a seed.
func scriptRandom(seed []byte) *rand.Rand {
	var key [32]byte
	copy(key[:], seed)
	return rand.New(rand.NewChaCha8(key))
}

// tryGroup plays several scripts with a group. Between them others have the slots: a guest that overwrites all that it can reach, one that
// is stopped while it writes.
func tryGroup(t *testing.T, r *Runtime, seed []byte) {
	g := wasmgen.Generate(seed)
	random := scriptRandom(seed)
	plain := newOracle(t, g, random.IntN(2) == 0, propertyMemory)
	defer plain.close()
	here := newOurs(t, r, g, random.IntN(2) == 0)
	defer here.close(t)
	for range 3 {
		s, dirty := newScript(random, g)
		if random.IntN(2) == 0 && dirty.export != nil {
			s = append(s, dirty)
		}
		if differ(t, "a script", s.play(plain, g), s.play(here, g)) {
			return
		}
		script{dirty}.play(here, g)
		if i, failed := here.begin(&randomHost{}); failed == "" {
			if random.IntN(4) == 0 && !i.(*ourInstance).beyond() {
				t.Error("memory that an instance does not have yet is not zero")
			}
			if random.IntN(4) == 0 {
				spin(t, i, g, random)
			}
			i.end()
		}
	}
}

// spin runs a guest that does not end until it is stopped.
func spin(t *testing.T, i fresh, g *wasmgen.Group, random *rand.Rand) {
	part := random.IntN(len(g.Modules))
	for k := range g.Modules[part].Exports {
		if e := &g.Modules[part].Exports[k]; e.Role == wasmgen.Spin {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(2_000))*time.Microsecond)
			defer cancel()
			if got := perform(ctx, i, scriptCall{part: part, export: e, params: []uint64{random.Uint64() & 0xffff}}); got != ErrStopped.Error() {
				t.Errorf("a guest that does not end ends: %s", got)
			}
		}
	}
}

// TestCodeFromFilesDoesWhatTheEngineDoesAlone is the same for code that another engine has compiled.
func TestCodeFromFilesDoesWhatTheEngineDoesAlone(t *testing.T) {
	properties(t, 40, func(t *testing.T, seed []byte) {
		g, random := wasmgen.Generate(seed), scriptRandom(seed)
		plain := newOracle(t, g, random.IntN(2) == 0, propertyMemory)
		defer plain.close()
		dir, keepAll := t.TempDir(), random.IntN(2) == 0
		recorder, err := NewRecorder(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		newOurs(t, recorder, g, keepAll).close(t)
		outlines := &wasmgen.Group{Host: g.Host, Modules: slices.Clone(g.Modules)}
		for k := range outlines.Modules {
			if outlines.Modules[k].Wasm, err = weave.Outline(g.Modules[k].Wasm); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(recorder.Seal(sha256.Sum256(seed)), recorder.Close(context.Background())); err != nil {
			t.Fatal(err)
		}
		r, err := recorded(t, Limits{Memory: propertyMemory}, dir)
		if err != nil {
			t.Fatal(err)
		}
		here := newOurs(t, r, outlines, keepAll)
		defer here.close(t)
		for range 2 {
			s, dirty := newScript(random, g)
			s = append(s, dirty)
			if differ(t, "a script with code from files", s.play(plain, g), s.play(here, g)) {
				return
			}
		}
	})
}

// TestAnInstanceOfASnapshotIsOneThatHasStarted is the same for groups that begin where one of their instances had got to, if they may.
func TestAnInstanceOfASnapshotIsOneThatHasStarted(t *testing.T) {
	r := newTestRuntime(t, Limits{Memory: propertyMemory})
	r.PrepareSnapshots()
	tried, taken := 0, 0
	properties(t, 150, func(t *testing.T, seed []byte) {
		g, random := wasmgen.Generate(seed), scriptRandom(seed)
		here := newOurs(t, r, g, true)
		defer here.close(t)
		if here.group.Try(context.Background(), &randomHost{}) != nil {
			return
		}
		tried++
		after := &randomHost{}
		if err := here.group.Snapshot(context.Background(), after, func() string { return "" }); err != nil {
			if !errors.Is(err, ErrSnapshot) {
				t.Error(err)
			}
			return
		}
		taken++
		here.after = after
		plain := newOracle(t, g, random.IntN(2) == 0, propertyMemory)
		defer plain.close()
		for range 3 {
			s, dirty := newScript(random, g)
			s = append(s, dirty)
			if differ(t, "a script after a snapshot", s.play(plain, g), s.play(here, g)) {
				return
			}
		}
	})
	t.Logf("%d of %d groups can begin so", taken, tried)
	if tried > 20 && taken == 0 {
		t.Error("no group can begin so")
	}
}

// TestInstancesSideBySideDoNotMeet plays different scripts with instances of one group at once.
func TestInstancesSideBySideDoNotMeet(t *testing.T) {
	const together, rounds = 8, 4
	r := newTestRuntime(t, Limits{Memory: propertyMemory})
	properties(t, 30, func(t *testing.T, seed []byte) {
		g, random := wasmgen.Generate(seed), scriptRandom(seed)
		plain, here := newOracle(t, g, false, propertyMemory), newOurs(t, r, g, random.IntN(2) == 0)
		defer plain.close()
		defer here.close(t)
		scripts, want := make([]script, together), make([][]string, together)
		for k := range scripts {
			s, dirty := newScript(random, g)
			scripts[k] = append(s, dirty)
			want[k] = scripts[k].play(plain, g)
		}
		var wait sync.WaitGroup
		for k := range scripts {
			wait.Go(func() {
				for range rounds {
					if differ(t, "a script beside others", want[k], scripts[k].play(here, g)) {
						return
					}
				}
			})
		}
		wait.Wait()
	})
}

// TestUnderMemoryPressureInstancesAreFreshOrNone makes more instances at once than there is room for. What they answer depends on who was
// first. That they begin as they must does not, and that they are not made half.
func TestUnderMemoryPressureInstancesAreFreshOrNone(t *testing.T) {
	const together, rounds = 8, 12
	properties(t, 20, func(t *testing.T, seed []byte) {
		g, random := wasmgen.Generate(seed), scriptRandom(seed)
		plain := newOracle(t, g, false, propertyMemory)
		defer plain.close()
		want := script{}.play(plain, g)
		r := newTestRuntime(t, Limits{Memory: propertyMemory, Budget: 3 << 20})
		here := newOurs(t, r, g, true)
		defer here.close(t)
		var wait sync.WaitGroup
		for range together {
			s, dirty := newScript(random, g)
			s = append(s, dirty)
			wait.Go(func() {
				for range rounds {
					got := script{}.play(here, g)
					if len(got) == 1 && strings.HasSuffix(got[0], ErrBudget.Error()) {
						continue
					}
					if differ(t, "an instance where there is little room", want, got) {
						return
					}
					s.play(here, g)
				}
			})
		}
		wait.Wait()
	})
}

// TestACommandDoesWhatItDoesByTheEngineAlone is the same for modules that are run by [Load].
func TestACommandDoesWhatItDoesByTheEngineAlone(t *testing.T) {
	r := newTestRuntime(t, Limits{Memory: propertyMemory})
	properties(t, 150, func(t *testing.T, seed []byte) {
		m := wasmgen.Command(seed)
		g := &wasmgen.Group{Modules: []wasmgen.Module{*m}}
		plain := newOracle(t, g, seed[0]%2 == 0, propertyMemory)
		defer plain.close()
		want := runPlain(plain, m)
		command, err := r.Load(context.Background(), m.Wasm)
		if err != nil {
			if len(want) > 1 || !strings.Contains(err.Error(), want[0]) {
				t.Errorf("it is refused: %v; by the engine alone: %s", err, want)
			}
			return
		}
		defer func() {
			if err := command.close(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		for range 3 {
			if differ(t, "a command", want, runHere(t, command)) {
				return
			}
		}
	})
}

func runPlain(o *oracle, m *wasmgen.Module) []string {
	i, failed := o.begin(&randomHost{})
	if failed != "" {
		return []string{failed}
	}
	defer i.end()
	start := &m.Exports[slices.IndexFunc(m.Exports, func(e wasmgen.Export) bool { return e.Name == wasmgen.StartName })]
	seen := []string{perform(context.Background(), i, scriptCall{export: start})}
	if m.HasMemory {
		seen = append(seen, checksum(i.memory(0)))
	}
	return seen
}

func runHere(t *testing.T, m *Module) []string {
	i, err := m.Instantiate(context.Background(), Call{})
	if err != nil {
		return []string{ourReason(err)}
	}
	defer func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	}()
	seen := []string{""}
	if err := i.Run(context.Background()); err != nil {
		seen[0] = ourReason(err)
	}
	if m.hasMemory {
		seen = append(seen, checksum(i.memories.all[0].Bytes()))
	}
	return seen
}
