package component

import (
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// plan is how a component is instantiated, all names resolved: which core modules, in which order, what each of their imports is, and
// which functions cross between core code, components and the host. It is made once, and an instance has an array for each kind of
// item, with an entry for the item's number.
type plan struct {
	parts     []instance.Part
	host      []instance.HostFunc
	instances []int // of each component instance, the number of the one that it is in; they are numbered from 1, and the root is in 0
	funcs     []*fn
	cores     []*core
	coreFuncs []*coreFunc
	drops     map[*types.Resource]func(resource any) // of the host's resources
	exports   *inst
}

// sayWhatIsUsed tells each part which of its exports the canonical ABI asks for, so that it can do without the others.
func (p *plan) sayWhatIsUsed() {
	use := func(it coreItem) {
		if it.part >= 0 {
			part := &p.parts[it.part]
			part.Exports = append(part.Exports, it.export)
		}
	}
	for k := range p.parts {
		p.parts[k].Exports = []string{} // none; nil would be any
	}
	for _, f := range p.coreFuncs {
		use(f.coreItem)
	}
	for _, c := range p.cores {
		use(c.memory)
	}
}

// fn is a function at the level of components: one of the host, or one that a component lifts out of core code.
type fn struct {
	name   string // for people
	typ    *types.Func
	kind   *abi.FuncType // made when the function is used
	number int           // in plan.funcs, when it is used

	host    HostFunc
	missing error // set when nobody provides it, which matters when it is used

	instance   int // the component instance that lifts it
	options    abi.Options
	core       *core
	callee     *coreFunc
	postReturn *coreFunc // may be nil
}

// core is the memory and realloc that a canonical definition names.
type core struct {
	number  int
	memory  coreItem
	realloc *coreFunc // may be nil
}

// coreFunc is a core function that the host calls.
type coreFunc struct {
	coreItem
	number int
}

// coreItem is something that a core instance exports, or a function of the host.
type coreItem struct {
	part   int // -1: none, or the host's
	export string
	host   int // in plan.host; -1: not of the host
}

// noItem is no item.
var noItem = coreItem{part: -1, host: -1}

// coreInst is a core instance: a part of the plan, or a set of items under names.
type coreInst struct {
	part  int // -1: it is a set
	items map[string]coreItem
}

func (c *coreInst) export(name string) (coreItem, bool) {
	if c.part >= 0 {
		return coreItem{part: c.part, export: name, host: -1}, true // validated, or found missing when the parts are loaded
	}
	item, ok := c.items[name]
	return item, ok
}

// inst is an instance at the level of components: names for items.
type inst struct {
	names []string // in order
	items map[string]item
}

func newInst() *inst { return &inst{items: map[string]item{}} }

func (i *inst) add(name string, it item) {
	if _, ok := i.items[name]; !ok {
		i.names = append(i.names, name)
	}
	i.items[name] = it
}

// instance finds an exported instance by the name of its interface, in any version of the same track.
func (i *inst) instance(iface string) *inst {
	want := track(iface)
	for _, n := range i.names {
		if found := i.items[n].inst; found != nil && track(n) == want {
			return found
		}
	}
	return nil
}

// item is what an index of a component refers to, or what is imported and exported: one of its fields is set.
type item struct {
	fn        *fn
	typ       *typ
	component *closure
	inst      *inst
	module    *module
}
