package instance

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/internal/compiled"
	"github.com/mayfly-run/mayfly/runtime/codecache"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// record is code that a recorder wrote. Of the modules there is no more than the outline.
type record struct {
	entry *compiled.Entry
	cache *codecache.Cache
	next  int // module to be loaded

	unproven atomic.Int32 // modules of which no function has been called
	mu       sync.Mutex   // guards canaries
	canaries map[wazero.CompiledModule]int64
}

var _ code = (*record)(nil)

// NewRuntimeFrom returns a runtime for the outlines of modules, of which an entry has the code. What it loads must be what was recorded, in the
// same order. Any error, here or then, says no more of the module than that its code cannot be used.
//
// The entry's files are mapped: they must not change.
func NewRuntimeFrom(ctx context.Context, l Limits, e *compiled.Entry) (*Runtime, error) {
	cache, err := codecache.New()
	if err != nil {
		return nil, err
	}
	r, err := newRuntime(ctx, l, &record{entry: e, cache: cache, canaries: map[wazero.CompiledModule]int64{}})
	if err != nil {
		return nil, err
	}
	have, want := e.Origin(), r.origin()
	want.Module = have.Module // whoever found the entry has seen to that
	if have != want {
		return nil, errors.Join(fmt.Errorf("%w: it was made by %q, %q, %q, and this is %q, %q, %q", compiled.ErrInvalid,
			have.Engine, have.Wazero, have.Options, want.Engine, want.Wazero, want.Options), r.Close(ctx))
	}
	return r, nil
}

func (c *record) configure(config wazero.RuntimeConfig) wazero.RuntimeConfig {
	return c.cache.Configure(config)
}

func (c *record) digest(outline []byte) ([sha256.Size]byte, error) {
	return sha256.Sum256(outline), nil
}

func (c *record) compile(ctx context.Context, r *Runtime, key codeKey, _ func() ([]byte, error)) (wazero.CompiledModule, error) {
	b, err := c.entry.Read(moduleFile(c.next))
	if err != nil {
		return nil, err
	}
	m, err := parseModuleRest(b)
	if err != nil {
		return nil, err
	}
	if m.key != key {
		return nil, fmt.Errorf("%w: module %d is another, or linked in another way", compiled.ErrInvalid, c.next)
	}
	text, err := c.entry.File(codeFile(c.next))
	if err != nil {
		return nil, err
	}
	defer text.Close()
	loaded, err := c.cache.Load(ctx, r.engine, m.skeleton, m.code, text)
	if err != nil {
		return nil, err
	}
	c.next++
	c.mu.Lock()
	defer c.mu.Unlock()
	c.canaries[loaded] = key.canary()
	c.unproven.Add(1)
	return loaded, nil
}

// prove calls the canary of a module that was loaded, once: wrong code would be found by what it does.
func (c *record) prove(loaded wazero.CompiledModule, core api.Module) error {
	if c.unproven.Load() == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	want, ok := c.canaries[loaded]
	if !ok {
		return nil
	}
	f := core.ExportedFunction(weave.CanaryName)
	if f == nil {
		return fmt.Errorf("%w: it has no canary", compiled.ErrInvalid)
	}
	results, err := f.Call(context.Background())
	if err != nil || len(results) != 1 || int64(results[0]) != want {
		return fmt.Errorf("%w: its canary does not answer as it should (%v)", compiled.ErrInvalid, err)
	}
	delete(c.canaries, loaded)
	c.unproven.Add(-1)
	return nil
}

func (c *record) close(ctx context.Context) error { return c.cache.Close(ctx) }
