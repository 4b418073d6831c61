package instance

import (
	"context"
	"strconv"
	"sync"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// linkage is how wazero, while it instantiates, finds the instance's memories and other parts. wazero asks a context for both, and to make one
// takes several allocations, so there is one for each instantiation that is under way, and it is used again.
type linkage struct {
	context.Context // what wazero gets
	group           *GroupInstance
	memories        *memories
}

var linkages = sync.Pool{New: func() any {
	l := &linkage{}
	// Nothing that the caller's context may hold under other keys is wazero's business here.
	l.Context = experimental.WithMemoryAllocator(experimental.WithImportResolver(context.Background(), l.resolve), l)
	return l
}}

var _ experimental.MemoryAllocator = (*linkage)(nil)

// link returns the linkage of an instance that is about to be made; group is nil for a module. unlink gives it back, whatever became of the
// instance.
func link(group *GroupInstance, m *memories) *linkage {
	l := linkages.Get().(*linkage)
	l.group, l.memories = group, m
	return l
}

func (l *linkage) unlink() {
	l.group, l.memories = nil, nil
	linkages.Put(l)
}

// Allocate implements experimental.MemoryAllocator.
func (l *linkage) Allocate(capacity, most uint64) experimental.LinearMemory {
	return l.memories.Allocate(capacity, most)
}

// resolve finds what the imports of the part that is being instantiated call name.
func (l *linkage) resolve(name string) api.Module {
	i := l.group
	switch {
	case i == nil:
		return nil // wazero finds it by its name
	case name == weave.YieldModule:
		return i.runtime.host
	case name == hostImport:
		return i.group.host
	}
	n, err := strconv.Atoi(name)
	if err != nil {
		return nil // cannot be: the names are ours
	}
	return i.cores[i.group.parts[len(i.cores)].providers[n]]
}
