package wit

import "github.com/mayfly-run/mayfly/runtime/component/types"

// extent is how big a type is, and whether there is a borrow in it.
type extent struct {
	depth, size int
	borrows     bool
}

// measure bounds a new type: those it is made of are shared, so a short text can make one that nobody could walk through.
func (r *resolver) measure(p position, t *types.Type) error {
	whole := extent{depth: 1, size: 1}
	for u := range elements(t) {
		if u == nil {
			continue
		}
		part := r.sizes[u]
		whole.depth = max(whole.depth, max(part.depth, 1)+1)
		whole.size += max(part.size, 1)
		whole.borrows = whole.borrows || part.borrows
	}
	whole.size += len(t.Labels)
	if whole.depth > maxDepth {
		return p.errorf("types in types deeper than %d", maxDepth)
	}
	if whole.size > maxTypeSize {
		return p.errorf("a type of more than %d others", maxTypeSize)
	}
	r.sizes[t] = whole
	return nil
}

// elements are the types that a type is made of; nil among them.
func elements(t *types.Type) func(yield func(*types.Type) bool) {
	return func(yield func(*types.Type) bool) {
		for _, u := range [...]*types.Type{t.Elem, t.OK, t.Err} {
			if !yield(u) {
				return
			}
		}
		for _, fields := range [...][]types.Field{t.Fields, t.Cases} {
			for _, f := range fields {
				if !yield(f.Type) {
					return
				}
			}
		}
	}
}
