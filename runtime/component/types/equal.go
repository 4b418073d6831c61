package types

import "slices"

// Equal reports whether two value types are the same: by structure, names of fields, cases and labels included, resources by
// identity.
func (t *Type) Equal(o *Type) bool {
	if t == o {
		return true
	}
	if t == nil || o == nil || t.Kind != o.Kind {
		return false
	}
	return t.Length == o.Length && t.Resource == o.Resource && slices.Equal(t.Labels, o.Labels) &&
		t.Elem.Equal(o.Elem) && t.OK.Equal(o.OK) && t.Err.Equal(o.Err) &&
		slices.EqualFunc(t.Fields, o.Fields, Field.equal) && slices.EqualFunc(t.Cases, o.Cases, Field.equal)
}

func (f Field) equal(o Field) bool { return f.Name == o.Name && f.Type.Equal(o.Type) }

// Equal reports whether two function types are the same, names of parameters included.
func (f *Func) Equal(o *Func) bool {
	return slices.EqualFunc(f.Params, o.Params, Field.equal) && f.Result.Equal(o.Result)
}
