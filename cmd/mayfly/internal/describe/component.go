package describe

import "fmt"

// Sections of a component (Component Model, Binary.md).
const (
	componentCustom = 0
	componentModule = 1
	componentImport = 10
	componentExport = 11
)

// sorts are the kinds of a component's imports and exports, by number.
var sorts = [...]string{"core module", "function", "value", "type", "component", "instance"}

func (s *Summary) componentSection(id byte, r *reader) error {
	switch id {
	case componentCustom:
		return s.custom(r)
	case componentModule:
		s.Modules++
	case componentImport:
		for n := r.count(); n > 0 && r.err == nil; n-- {
			name, err := componentName(r)
			if err != nil {
				return err
			}
			kind, err := externDesc(r)
			if err != nil {
				return fmt.Errorf("import %s: %w", name, err)
			}
			s.Imports = append(s.Imports, Extern{Name: name, Kind: kind})
		}
	case componentExport:
		for n := r.count(); n > 0 && r.err == nil; n-- {
			name, err := componentName(r)
			if err != nil {
				return err
			}
			kind, err := sort(r)
			if err != nil {
				return fmt.Errorf("export %s: %w", name, err)
			}
			r.u32() // index
			if r.byte() == 1 {
				if _, err := externDesc(r); err != nil {
					return fmt.Errorf("export %s: %w", name, err)
				}
			}
			s.Exports = append(s.Exports, Extern{Name: name, Kind: kind})
		}
	}
	return r.err
}

func componentName(r *reader) (string, error) {
	if form := r.byte(); form > 1 {
		return "", fmt.Errorf("a name in a form that is not known, %d", form)
	}
	return r.name(), r.err
}

// sort reads the kind of an export.
func sort(r *reader) (string, error) {
	b := r.byte()
	if b == 0 {
		if core := r.byte(); r.err == nil && core != 0x11 {
			return "", fmt.Errorf("of a kind that is not known, core %d", core)
		}
	}
	if int(b) >= len(sorts) {
		return "", fmt.Errorf("of a kind that is not known, %d", b)
	}
	return sorts[b], r.err
}

// externDesc reads the kind and skips the type of an import or an export.
func externDesc(r *reader) (string, error) {
	kind, err := sort(r)
	if err != nil {
		return "", err
	}
	switch kind {
	case "value":
		return "", fmt.Errorf("a value: not known how to read")
	case "type":
		if r.byte() == 0 { // equal to a type; 1 is a fresh resource, without an index
			r.u32()
		}
	default:
		r.u32()
	}
	return kind, r.err
}
