package instance

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// GroupSpec says which modules a group has and how they are linked. It is a static plan: nothing in it depends on an instance.
type GroupSpec struct {
	Parts []Part
	Host  []HostFunc
}

// Part is one core instance of a group. Parts with the same module whose imports are linked alike share one compiled module.
type Part struct {
	Wasm    []byte
	Imports []Target // one for each import of the module, in the order of its import section
	Name    string   // for errors and stack traces; may be empty
	Exports []string // those that Function and Memory are called with; nil: any
}

// Host is Target.Part of a function of the host.
const Host = -1

// Target says where an import of a part comes from.
type Target struct {
	Part   int    // index of an earlier part, or Host
	Export string // of that part
	Host   int    // index into GroupSpec.Host, when Part is Host
}

// HostFunc is a function of the host.
type HostFunc struct {
	Name            string // for stack traces: "wasi:io/streams [method]input-stream.read"
	Params, Results []api.ValueType

	// Call gets the instance that runs, and the parameters, which it replaces by the results. An error ends the guest; the outermost
	// Function.Call returns one that wraps it.
	Call func(ctx context.Context, i *GroupInstance, stack []uint64) error
}

// Group is several compiled modules that are instantiated together. It may be used from several goroutines at once.
type Group struct {
	runtime  *Runtime
	parts    []part
	memories int // that the parts have, all together
	compiled []wazero.CompiledModule
	host     api.Module
	snapshot *snapshot // nil: start functions run
	demand
}

// part is a Part that is compiled.
type part struct {
	name      string
	compiled  wazero.CompiledModule
	providers []int // what its imports call "0", "1" and so on: a part, or Host
	exports   map[string]kind
	memory    int       // which of the group's memories its memory is, or -1
	start     *Function // nil: none

	state        []int  // the globals that a snapshot has
	unrestorable string // why it cannot have one, if not empty
}

// InitialMemory is what all linear memories of an instance start with, in bytes.
func (g *Group) InitialMemory() uint64 { return g.initialMemory }

// Memory is a linear memory that a part of a group exports, found once for all instances.
type Memory struct {
	group  *Group
	number int
}

// Memory finds a memory that a part exports.
func (g *Group) Memory(part int, export string) (Memory, error) {
	if err := g.exports(part, export, weave.Memory); err != nil {
		return Memory{}, err
	}
	return Memory{g, g.parts[part].memory}, nil
}

func (g *Group) exports(part int, export string, want kind) error {
	if part < 0 || part >= len(g.parts) {
		return fmt.Errorf("core instance %d: there are %d", part, len(g.parts))
	}
	if k, ok := g.parts[part].exports[export]; !ok || k != want {
		return fmt.Errorf("%s exports no %s %.64q", partName(part, g.parts[part].name), want, export)
	}
	return nil
}

// Try instantiates the group, so that what cannot work is found at load, and measures what an instance takes. The owner is that of the
// instances it makes. It is called once, before the first Instantiate.
func (g *Group) Try(ctx context.Context, owner any) error {
	return g.demand.try(ctx, g.runtime.limits.Budget > 0, func(ctx context.Context) (io.Closer, error) { return g.Instantiate(ctx, owner) })
}

// Close frees the compiled code. No instance may be live.
func (g *Group) Close(ctx context.Context) error {
	var errs []error
	if g.host != nil {
		errs = append(errs, g.host.Close(ctx))
	}
	for _, c := range g.compiled {
		errs = append(errs, c.Close(ctx))
	}
	g.stock.close()
	return errors.Join(errs...)
}
