package instance

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"strconv"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// Limits of a group.
const (
	maxParts         = 1000
	maxHostFunctions = 10_000
	maxGroupMemories = 100
	maxGroupItems    = 2 << 20 // of all parts together, see weave.Module.Items
	maxPartName      = 100     // bytes
	maxHostName      = 200     // bytes
)

// hostModule is what wazero calls the module with the functions of the host, in stack traces: nothing that is shown there.
const hostModule = "."

// hostImport is what the parts call that module.
const hostImport = "h"

type kind = weave.Kind

// linker makes a group of its spec.
type linker struct {
	runtime  *Runtime
	spec     *GroupSpec
	group    *Group
	modules  map[[sha256.Size]byte]*source
	sources  []*source      // of the parts
	links    [][]weave.Link // of their imports
	bytes    int            // of all modules
	items    int            // of all parts
	compiled map[codeKey]wazero.CompiledModule
	contents *contents
}

// source is a module that parts are made of.
type source struct {
	digest  [sha256.Size]byte
	read    *weave.Module
	externs map[string]*weave.Extern // what it exports
	globals map[string]int           // the numbers of those among them that are globals
	kinds   map[string]kind          // the same, for as long as the group
	used    map[string]bool          // of it, by other parts or by the host
	usedAll bool
}

// LoadGroup links and compiles the modules of a group. An error wraps one of those that Load returns.
func (r *Runtime) LoadGroup(ctx context.Context, spec GroupSpec) (*Group, error) {
	if len(spec.Parts) > maxParts {
		return nil, fmt.Errorf("%w: %d core instances: at most %d: build the component of fewer", ErrMalformed, len(spec.Parts), maxParts)
	}
	if len(spec.Host) > maxHostFunctions {
		return nil, fmt.Errorf("%w: %d functions of the host: at most %d: build the component with fewer imports", ErrMalformed, len(spec.Host),
			maxHostFunctions)
	}
	l := &linker{
		runtime:  r,
		spec:     &spec,
		group:    &Group{runtime: r, parts: make([]part, 0, len(spec.Parts))},
		modules:  map[[sha256.Size]byte]*source{},
		compiled: map[codeKey]wazero.CompiledModule{},
	}
	l.contents = newContents(l)
	if err := l.load(ctx); err != nil {
		_ = l.group.Close(ctx)
		return nil, err
	}
	return l.group, nil
}

func (l *linker) load(ctx context.Context) error {
	for k := range l.spec.Parts {
		if err := l.add(k); err != nil {
			return fmt.Errorf("%s: %w", partName(k, l.spec.Parts[k].Name), err)
		}
	}
	if err := l.runtime.checkInitial(l.group.initialMemory); err != nil {
		return err
	}
	for _, s := range l.modules {
		s.keepUsed()
	}
	taken, images, err := l.runtime.contents(l.contents.sizes(), l.contents.taken, l.contents.images)
	if err != nil {
		return err
	}
	l.group.stock = l.runtime.newStock(images)
	for k := range l.group.parts {
		p := &l.group.parts[k]
		if p.compiled, err = l.compile(ctx, l.sources[k], l.links[k], taken[k], p.name); err != nil {
			return fmt.Errorf("%s: %w", partName(k, p.name), err)
		}
		if l.runtime.snapshots {
			read := l.sources[k].read
			read.Check = l.runtime.check
			p.state, p.unrestorable = read.State(), read.Unrestorable(taken[k])
		}
	}
	return l.instantiateHost(ctx)
}

func partName(k int, name string) string {
	if name == "" {
		return fmt.Sprintf("core instance %d", k)
	}
	return fmt.Sprintf("core instance %d, %q", k, cut(name, maxPartName))
}

// add reads and links a part.
func (l *linker) add(k int) error {
	p := &l.spec.Parts[k]
	s, err := l.source(p.Wasm)
	if err != nil {
		return err
	}
	if l.items += s.read.Items(); l.items > maxGroupItems {
		return fmt.Errorf("%w: the tables, globals, imports and segments of all core instances together are more than %d: build the component smaller",
			ErrMalformed, maxGroupItems)
	}
	own := part{name: cut(p.Name, maxPartName), exports: s.kinds, memory: -1}
	if s.read.HasStart() {
		own.start = &Function{group: l.group, part: k, name: weave.StartName}
	}
	s.use(p.Exports)
	links, err := l.link(&own, s, p.Imports)
	if err != nil {
		return err
	}
	if m := s.read.Memory; m != nil {
		if l.group.memories == maxGroupMemories {
			return fmt.Errorf("%w: more than %d memories: build the component of fewer modules", ErrMalformed, maxGroupMemories)
		}
		own.memory = l.group.memories
		l.group.memories++
		l.group.initialMemory += m.Min * pageSize
	}
	l.group.parts = append(l.group.parts, own)
	l.sources = append(l.sources, s)
	l.links = append(l.links, links)
	l.contents.add(k, s.read, own.memory)
	return nil
}

// source reads a module, once for all parts that are made of it.
func (l *linker) source(wasm []byte) (*source, error) {
	if err := checkPreamble(wasm); err != nil {
		return nil, err
	}
	digest, err := l.runtime.digest(wasm)
	if err != nil {
		return nil, err
	}
	if s := l.modules[digest]; s != nil {
		return s, nil
	}
	if l.bytes += len(wasm); l.bytes > weave.MaxModule {
		return nil, fmt.Errorf("%w: the modules have more than %s together: strip debug information and data that can be a file", ErrMalformed,
			inUnits(weave.MaxModule))
	}
	read, err := weave.Read(wasm)
	if err != nil {
		return nil, malformed(err)
	}
	exports := read.Exports()
	s := &source{digest: digest, read: read, externs: make(map[string]*weave.Extern, len(exports)), kinds: make(map[string]kind, len(exports)),
		used: map[string]bool{}, globals: map[string]int{}}
	for i := range exports {
		e := &exports[i]
		s.externs[e.Name] = &e.Extern
		s.kinds[e.Name] = e.Kind
		if e.Kind == weave.Global {
			s.globals[e.Name] = e.Index
		}
	}
	if m := read.Memory; m != nil && m.Shared {
		return nil, fmt.Errorf("%w: it has a memory that threads would share, and threads are not supported: build without them", ErrMalformed)
	}
	l.modules[digest] = s
	return s, nil
}

// use notes what the host asks a part for by name; nil: for anything.
func (s *source) use(names []string) {
	s.usedAll = s.usedAll || names == nil
	for _, name := range names {
		s.used[name] = true
	}
}

// keepUsed leaves out what is exported for nobody. All parts that are made of the module have been added.
func (s *source) keepUsed() {
	if s.usedAll {
		return
	}
	s.read.Keep(s.used)
	maps.DeleteFunc(s.kinds, func(name string, _ kind) bool { return !s.used[name] })
}

// link finds what each import is.
func (l *linker) link(own *part, s *source, targets []Target) ([]weave.Link, error) {
	if len(targets) != len(s.read.Imports) {
		return nil, fmt.Errorf("%w: %d targets for %d imports", ErrImport, len(targets), len(s.read.Imports))
	}
	links := make([]weave.Link, len(targets))
	for j, t := range targets {
		im := &s.read.Imports[j]
		have, problem := l.provided(t)
		if problem == "" {
			problem = have.Provides(&im.Extern)
		}
		if problem != "" {
			return nil, fmt.Errorf("%w: import %.64q.%.64q (%s): %s: build the component anew with one release of its tools", ErrImport, im.Module, im.Name,
				im.Kind, problem)
		}
		if t.Part == Host {
			links[j] = weave.Link{Module: hostImport, Name: strconv.Itoa(t.Host)}
			continue
		}
		links[j] = weave.Link{Module: strconv.Itoa(own.provider(t.Part)), Name: t.Export}
		l.sources[t.Part].used[t.Export] = true
		if im.Kind == weave.Memory {
			own.memory = l.group.parts[t.Part].memory
		}
	}
	return links, nil
}

// provided returns what a target is, or why there is no such thing.
func (l *linker) provided(t Target) (*weave.Extern, string) {
	switch {
	case t.Part == Host && (t.Host < 0 || t.Host >= len(l.spec.Host) || l.spec.Host[t.Host].Call == nil):
		return nil, fmt.Sprintf("the host has no function %d", t.Host)
	case t.Part == Host:
		h := &l.spec.Host[t.Host]
		return &weave.Extern{Kind: weave.Function, Type: &weave.Type{Params: h.Params, Results: h.Results}}, ""
	case t.Part < 0 || t.Part >= len(l.sources):
		return nil, fmt.Sprintf("core instance %d is not an earlier one", t.Part)
	}
	if e := l.sources[t.Part].externs[t.Export]; e != nil {
		return e, ""
	}
	return nil, fmt.Sprintf("%s does not export %.64q", partName(t.Part, l.spec.Parts[t.Part].Name), t.Export)
}

// provider returns what the part's imports call another part. They are numbered as they come, so that equal modules which are linked
// alike have equal names for their imports.
func (p *part) provider(other int) int {
	for n, k := range p.providers {
		if k == other {
			return n
		}
	}
	p.providers = append(p.providers, other)
	return len(p.providers) - 1
}

// compile weaves and compiles a module, once for all parts in which it is linked alike.
func (l *linker) compile(ctx context.Context, s *source, links []weave.Link, taken int, name string) (wazero.CompiledModule, error) {
	text := binary.AppendUvarint(append([]byte(nil), s.digest[:]...), uint64(taken))
	for _, link := range links {
		for _, name := range [...]string{link.Module, link.Name} {
			text = binary.AppendUvarint(text, uint64(len(name)))
			text = append(text, name...)
		}
	}
	key := codeKey(sha256.Sum256(text))
	if c := l.compiled[key]; c != nil {
		return c, nil
	}
	c, err := l.runtime.compile(ctx, key, func() ([]byte, error) {
		s.read.Name, s.read.Check, s.read.Canary = name, l.runtime.check, key.canary()
		if err := s.read.Relink(links); err != nil {
			return nil, err
		}
		s.read.TakeData(taken)
		return woven(s.read)
	})
	if err != nil {
		return nil, err
	}
	l.compiled[key] = c
	l.group.compiled = append(l.group.compiled, c)
	return c, nil
}

// instantiateHost makes the module with the functions of the host. It has no name by which others could find it.
func (l *linker) instantiateHost(ctx context.Context) error {
	if len(l.spec.Host) == 0 {
		return nil
	}
	b := l.runtime.engine.NewHostModuleBuilder(hostModule)
	for k := range l.spec.Host {
		h := &l.spec.Host[k]
		if h.Call == nil {
			continue // nobody imports it, as has been seen
		}
		b.NewFunctionBuilder().WithGoFunction(h.goFunction(), h.Params, h.Results).WithName(cut(h.Name, maxHostName)).Export(strconv.Itoa(k))
	}
	compiled, err := b.Compile(ctx)
	if err != nil {
		return fmt.Errorf("compile the functions of the host: %w", err)
	}
	l.group.compiled = append(l.group.compiled, compiled)
	// Not Builder.Instantiate: what that returns is not what an import resolver must return.
	if l.group.host, err = l.runtime.engine.InstantiateModule(ctx, compiled, l.runtime.config); err != nil {
		return fmt.Errorf("instantiate the functions of the host: %w", err)
	}
	return nil
}

func (h *HostFunc) goFunction() api.GoFunc {
	call := h.Call
	return func(ctx context.Context, stack []uint64) {
		i := callOf(ctx).group
		if err := call(ctx, i, stack); err != nil {
			panic(&hostError{err})
		}
		i.resume()
	}
}
