package weave

import "fmt"

// Link is where an import comes from, as the woven module is to say it.
type Link struct {
	Module, Name string
}

// Relink makes Weave write other names for the imports: links has one for each, in the order of Imports.
func (m *Module) Relink(links []Link) error {
	if len(links) != len(m.Imports) {
		return fmt.Errorf("%d links for %d imports", len(links), len(m.Imports))
	}
	m.links = links
	return nil
}

// Provides says why what is given cannot be what an import wants; empty: it can. WebAssembly 2.0, section 4.5.1, external typing.
func (have *Extern) Provides(want *Extern) string {
	if have.Kind != want.Kind {
		return fmt.Sprintf("it is a %s, not a %s", have.Kind, want.Kind)
	}
	switch want.Kind {
	case Function:
		if !have.Type.Equal(want.Type) {
			return "the function has other parameters or results"
		}
	case Table:
		if have.Table.Element != want.Table.Element {
			return "the table has elements of another type"
		}
		return have.Table.Limits.within(want.Table.Limits)
	case Memory:
		return have.Memory.within(want.Memory)
	case Global:
		if have.Global != want.Global {
			return "the global has another type, or one can be changed and the other cannot"
		}
	}
	return ""
}

func (l Limits) within(want Limits) string {
	switch {
	case l.Is64 != want.Is64:
		return "one has addresses of 32 bits, the other of 64"
	case l.Shared != want.Shared:
		return "one is shared between threads, the other is not"
	case l.Min < want.Min:
		return fmt.Sprintf("it begins with %d, and at least %d are wanted", l.Min, want.Min)
	case want.HasMax && !l.HasMax:
		return fmt.Sprintf("it has no maximum, and %d is wanted", want.Max)
	case want.HasMax && l.Max > want.Max:
		return fmt.Sprintf("it has the maximum %d, and at most %d is wanted", l.Max, want.Max)
	}
	return ""
}
