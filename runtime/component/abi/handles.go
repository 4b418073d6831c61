package abi

import "slices"

// Handles is the handle table of a component instance between two calls.
type Handles struct {
	array []ResourceHandle
	free  uint32
}

// Handles returns the instance's table, if another instance can have it: with resources of its own components, which are in its memory,
// and those of the host that again makes anew. others is how many handles there are beside those.
func (i *ComponentInstance) Handles(again func(resource any) bool) (h Handles, others int) {
	for _, e := range i.handles.array {
		switch {
		case e.rt == nil:
		case !e.own || e.numLends > 0, e.rt.Owner == 0 && !again(e.rep.Resource()):
			others++
		}
	}
	return Handles{slices.Clone(i.handles.array), i.handles.free}, others
}

// SetHandles gives an instance that is new a table. again makes the host's resources in it anew.
func (i *ComponentInstance) SetHandles(h Handles, again func(resource any) Value) {
	if len(h.array) == 0 {
		return
	}
	i.handles.array, i.handles.free = append(i.handles.array[:0], h.array...), h.free
	*i.handles.made += len(h.array) - 1
	for n := range i.handles.array {
		if e := &i.handles.array[n]; e.rt != nil && e.rt.Owner == 0 {
			e.rep = again(e.rep.Resource())
		}
	}
}
