package instance

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// ErrSnapshot is wrapped by what Group.Snapshot returns where instances cannot begin where another has got to.
var ErrSnapshot = errors.New("the state after initialisation cannot be kept")

// snapshot is what instances of a group begin with in place of running its start functions; their memories begin with their images.
type snapshot struct {
	field   int             // of wazero's module instance, which has the globals
	globals [][]savedGlobal // of each part
}

type savedGlobal struct {
	number int
	lo, hi uint64
}

// wazeroGlobal is what wazero's globals are, those too that are not exported.
type wazeroGlobal interface {
	Value() (lo, hi uint64)
	SetValue(lo, hi uint64)
}

// PrepareSnapshots makes groups that are loaded from now on ready for Group.Snapshot. It costs a reading of their code.
func (r *Runtime) PrepareSnapshots() { r.snapshots = true }

// Snapshot makes instances from now on begin as one does whose start functions have run: they do not run again. What those have drawn, read
// and computed is the same for all instances then. The owner is that of the instances it makes; held says what such an instance holds of the
// host after its start, which no snapshot can hold, "" for nothing.
//
// It is called once, after Try and before the first Instantiate. An error that wraps ErrSnapshot leaves the group as it was.
func (g *Group) Snapshot(ctx context.Context, owner any, held func() string) error {
	for k := range g.parts {
		if why := g.parts[k].unrestorable; why != "" {
			return fmt.Errorf("%w: %s: %s", ErrSnapshot, partName(k, g.parts[k].name), why)
		}
	}
	s, images, sizes, err := g.capture(ctx, owner, held)
	if err != nil {
		return err
	}
	old := g.stock
	g.stock, g.snapshot, g.initialMemory = g.runtime.newStock(images), s, 0
	for k, size := range sizes {
		g.stock.pools[k].begins = size
		g.initialMemory += size
	}
	old.close()
	return g.Try(ctx, owner) // and what an instance takes is measured anew
}

// capture instantiates the group as ever and takes the state of that.
func (g *Group) capture(ctx context.Context, owner any, held func() string) (s *snapshot, all *images, sizes []uint64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errStartTimeout)
	defer cancel()
	i, err := g.Instantiate(ctx, owner)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	if what := held(); what != "" {
		return nil, nil, nil, fmt.Errorf("%w: when its start functions have run it still has %s", ErrSnapshot, what)
	}
	s = &snapshot{globals: make([][]savedGlobal, len(g.parts))}
	for k := range g.parts {
		if err := s.save(i.cores[k], k, g.parts[k].state); err != nil {
			return nil, nil, nil, err
		}
	}
	memories := make([][]weave.Segment, len(i.memories.all))
	for k := range memories {
		b := i.memories.all[k].Bytes()
		memories[k] = []weave.Segment{{Bytes: b}}
		sizes = append(sizes, uint64(len(b)))
	}
	all, err = newImages(memories)
	return s, all, sizes, err
}

// save reads the globals of a part's instance that its state is in.
func (s *snapshot) save(core api.Module, k int, numbers []int) error {
	v := reflect.ValueOf(core)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return errNoGlobals
	}
	field, ok := v.Elem().Type().FieldByName("Globals")
	if !ok || len(field.Index) != 1 || field.Type.Kind() != reflect.Slice {
		return errNoGlobals
	}
	s.field = field.Index[0]
	all := v.Elem().Field(s.field)
	for _, n := range numbers {
		if n >= all.Len() {
			return errNoGlobals
		}
		g, ok := all.Index(n).Interface().(wazeroGlobal)
		if !ok {
			return errNoGlobals
		}
		lo, hi := g.Value()
		s.globals[k] = append(s.globals[k], savedGlobal{n, lo, hi})
	}
	return nil
}

// errNoGlobals can come with another version of wazero only: a test would notice.
var errNoGlobals = fmt.Errorf("%w: the engine does not show its globals", ErrSnapshot)

// restore writes the globals of a part's instance.
func (s *snapshot) restore(core api.Module, k int) {
	if len(s.globals[k]) == 0 {
		return
	}
	all := reflect.ValueOf(core).Elem().Field(s.field)
	for _, g := range s.globals[k] {
		all.Index(g.number).Interface().(wazeroGlobal).SetValue(g.lo, g.hi)
	}
}
