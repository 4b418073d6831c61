package component

import (
	"context"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// Renewable is a resource of the host of which every instance may have one that is as good as new, when a snapshot is taken of another that
// has one: a standard stream, say.
type Renewable interface {
	// Renew makes one for an instance, whose [Call.State] state is. It reports false when what was done with this one can be seen.
	Renew(state any) (resource Value, ok bool)
}

// Snapshot makes instances begin where one is whose start functions have run, see [instance.Group.Snapshot]. It is called once, after Try and
// before the first Instantiate, and [instance.Runtime.PrepareSnapshots] before Load. Its error wraps [instance.ErrSnapshot] where that cannot
// be right; the component is as it was then.
func (c *Component) Snapshot(ctx context.Context, state any) error {
	i := c.newInstance(state)
	i.ctx = ctx
	defer i.drop()
	handles := make([]abi.Handles, len(i.interior.inside))
	err := c.group.Snapshot(ctx, i, func() string { return i.interior.save(handles) })
	i.failed = err != nil
	if err == nil {
		c.handles = handles
	}
	return err
}

// save takes the handle tables. It says what is in them that no other instance can have, "" for nothing.
func (in *interior) save(handles []abi.Handles) string {
	others := 0
	for n := range in.inside {
		h, o := in.inside[n].Handles(func(resource any) bool {
			r, ok := resource.(Renewable)
			if ok {
				_, ok = r.Renew(in.instance.state)
			}
			return ok
		})
		handles[n] = h
		others += o
	}
	switch others {
	case 0:
		return ""
	case 1:
		return "a handle of what only one instance can have, a file or a connection for example"
	}
	return fmt.Sprintf("%d handles of what only one instance can have, files or connections for example", others)
}

// restore gives a new instance the handles of the snapshot, if there is one.
func (in *interior) restore(handles []abi.Handles, state any) {
	for n := range handles {
		in.inside[n].SetHandles(handles[n], func(resource any) Value {
			v, _ := resource.(Renewable).Renew(state) // it could when the snapshot was taken, and nothing has been done with it since
			return v
		})
	}
}
