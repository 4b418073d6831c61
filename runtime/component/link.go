package component

import (
	"context"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// Bounds of what a component may make of itself: components may instantiate others more than once, and these others again, so a small
// file can describe a great many instances.
const (
	maxInstances   = 1000
	maxDefinitions = 1 << 18 // that are evaluated, in all instances together
)

// linker makes a plan.
type linker struct {
	plan        *plan
	provide     *Host
	definitions int
	modules     map[*binary.CoreModule]*module
	coreFuncs   map[coreItem]*coreFunc
	cores       map[coreKey]*core
	destructors map[*types.Resource]*coreFunc
}

// coreKey tells one pair of memory and realloc from another. They belong to a component instance: there is one scratch space for each.
type coreKey struct {
	memory, realloc coreItem
}

// link evaluates a valid component into a plan.
func link(c *binary.Component, h *Host) (*plan, error) {
	l := newLinker(h)
	exports, err := l.instantiate(&closure{component: c}, nil, 0)
	if err != nil {
		return nil, err
	}
	l.plan.exports, err = l.functions(exports)
	return l.plan, err
}

func newLinker(h *Host) *linker {
	return &linker{
		plan:        &plan{drops: h.drops},
		provide:     h,
		modules:     map[*binary.CoreModule]*module{},
		coreFuncs:   map[coreItem]*coreFunc{},
		cores:       map[coreKey]*core{},
		destructors: map[*types.Resource]*coreFunc{},
	}
}

// functions is what can be called of the root's exports. Nothing else of them is needed when a component has been linked.
func (l *linker) functions(all *inst) (*inst, error) {
	out := newInst()
	for _, name := range all.names {
		it := all.items[name]
		switch {
		case it.fn != nil:
			if err := l.use(it.fn); err != nil && it.fn.missing == nil {
				return nil, err
			}
			out.add(name, item{fn: it.fn})
		case it.inst != nil:
			inner, err := l.functions(it.inst)
			if err != nil {
				return nil, err
			}
			out.add(name, item{inst: inner})
		}
	}
	return out, nil
}

// closure is a component with what is around it.
type closure struct {
	component *binary.Component
	outer     *scope
	missing   error // set when nobody provides it, which matters when it is instantiated
}

// instantiate evaluates a component. args is nil for the root, whose imports are the host's.
func (l *linker) instantiate(c *closure, args map[string]item, parent int) (*inst, error) {
	if c.missing != nil {
		return nil, c.missing
	}
	if len(l.plan.instances) >= maxInstances {
		return nil, fmt.Errorf("%w: it makes more than %d instances of components: the limit is fixed: build the component smaller",
			ErrInvalid, maxInstances)
	}
	l.plan.instances = append(l.plan.instances, parent)
	s := &scope{linker: l, outer: c.outer, number: len(l.plan.instances), args: args, names: c.component.Names, exports: newInst()}
	for _, d := range c.component.Definitions {
		if err := l.count(); err != nil {
			return nil, err
		}
		if err := s.define(d); err != nil {
			return nil, err
		}
	}
	return s.exports, nil
}

// count counts a definition that is evaluated.
func (l *linker) count() error {
	if l.definitions++; l.definitions > maxDefinitions {
		return fmt.Errorf("%w: its instances have more than %d definitions together: the limit is fixed: build the component smaller",
			ErrInvalid, maxDefinitions)
	}
	return nil
}

// use gives a function a number, for it will be called.
func (l *linker) use(f *fn) error {
	if f.kind != nil {
		return nil
	}
	if f.missing != nil {
		return f.missing
	}
	kind, err := abi.NewFuncType(f.typ)
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	f.kind, f.number = kind, len(l.plan.funcs)
	l.plan.funcs = append(l.plan.funcs, f)
	return nil
}

func (l *linker) coreFunc(item coreItem) *coreFunc {
	f := l.coreFuncs[item]
	if f == nil {
		f = &coreFunc{coreItem: item, number: len(l.plan.coreFuncs)}
		l.coreFuncs[item] = f
		l.plan.coreFuncs = append(l.plan.coreFuncs, f)
	}
	return f
}

func (l *linker) core(memory coreItem, realloc *coreFunc) *core {
	key := coreKey{memory: memory, realloc: noItem}
	if realloc != nil {
		key.realloc = realloc.coreItem
	}
	c := l.cores[key]
	if c == nil {
		c = &core{number: len(l.plan.cores), memory: memory, realloc: realloc}
		l.cores[key] = c
		l.plan.cores = append(l.plan.cores, c)
	}
	return c
}

// addHost adds a function of the host for core code to call. A guest that must stop calls no more of them: it looks for itself every
// few thousand calls only, and each may have to lift megabytes.
func (l *linker) addHost(name string, params, results []byte, call func(i *Instance, stack []uint64) error) coreItem {
	l.plan.host = append(l.plan.host, instance.HostFunc{
		Name: name, Params: params, Results: results,
		Call: func(ctx context.Context, g *instance.GroupInstance, stack []uint64) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return call(owner(g), stack)
		},
	})
	return coreItem{part: -1, host: len(l.plan.host) - 1}
}

// lower makes a core function that calls f. Canonical ABI, canon_lower.
func (l *linker) lower(f *fn, opts abi.Options, c *core, number int) (coreItem, error) {
	if err := l.use(f); err != nil {
		return noItem, err
	}
	params, results := f.kind.FlattenLower()
	return l.addHost(f.name, params, results, func(i *Instance, stack []uint64) error {
		return abi.CanonLower(f.kind, opts, i.interior.bindCore(c), &i.interior.inside[number-1], i.interior.bind(f), stack)
	}), nil
}
