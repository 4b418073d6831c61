package wasihttp

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/wit"
)

// entry finds a function that starts a component; nil if there is none. What a component calls its exports, and what types it gives them,
// is its own business: here is where that is looked at.
func entry(c *component.Component, iface, name string, fits func(*types.Func) bool, want string) (*component.Function, error) {
	f, err := c.Function(iface, name)
	if err != nil {
		return nil, nil
	}
	if fits(f.Type()) {
		return f, nil
	}
	have := wit.Func(f.Type())
	if have == want {
		have = "of resources of its own, not of those of wasi:http/types"
	}
	return nil, fmt.Errorf("%w: its %s %s is %s, and not %s: build it with WASI's own declarations, and where it was composed or virtualised, let it import wasi:http/types itself",
		ErrTrigger, iface, name, have, want)
}

// isHandler reports whether t is handle: func(request: incoming-request, response-out: response-outparam), of the host's resources.
func isHandler(t *types.Func) bool {
	return len(t.Params) == 2 && t.Result == nil && isOwn(t.Params[0].Type, "incoming-request") && isOwn(t.Params[1].Type, "response-outparam")
}

func isOwn(t *types.Type, resource string) bool {
	return t.Kind == types.Own && t.Resource.Owner == 0 && t.Resource.Name == resource
}

// isRun reports whether t is run: func() -> result.
func isRun(t *types.Func) bool {
	return len(t.Params) == 0 && t.Result != nil && t.Result.Kind == types.Result && t.Result.OK == nil && t.Result.Err == nil
}
