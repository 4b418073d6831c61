package weave

import "fmt"

// Keep makes Weave leave out all exports but those with the names that are given, as nobody asks for the others. It says so of all that
// the table's fate depends on: what is not exported is the module's own affair.
func (m *Module) Keep(names map[string]bool) { m.kept = names }

// keeps reports whether what is exported under the name stays so.
func (m *Module) keeps(name string) bool { return m.kept == nil || m.kept[name] }

// checkExports refuses what would become valid by leaving exports out.
func (m *Module) checkExports() *Error {
	seen := make(map[string]bool, len(m.exports))
	for _, e := range m.exports {
		if e.name == StartName || e.name == CanaryName {
			return &Error{Section: "export", Reason: fmt.Sprintf("the name %q is reserved", e.name)}
		}
		if seen[e.name] {
			return &Error{Section: "export", Reason: fmt.Sprintf("there are two of the name %.64q", e.name)}
		}
		seen[e.name] = true
	}
	return nil
}
