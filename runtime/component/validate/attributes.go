package validate

import (
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// appendItem checks a name and appends an import or export.
func (v *validator) appendItem(side *side, sh *shape, n *binary.ExternName, parsed name, x extern) error {
	if err := checkAttributes(n, parsed, x); err != nil {
		return err
	}
	if err := v.checkAnnotation(side, parsed, x); err != nil {
		return err
	}
	if parsed.iface {
		if err := parsed.checkVersion(n.VersionSuffix, n.HasVersionSuffix()); err != nil {
			return err
		}
	}
	key := parsed.unique(n.Name)
	if before, ok := side.names[key]; ok {
		return fmt.Errorf("the name conflicts with the %s %q", side.what, before)
	}
	side.names[key] = n.Name
	side.items = append(side.items, types.Named{Name: n.Name, Extern: x.Extern})
	side.aliases = append(side.aliases, x.alias)
	return sh.add(v.externShape(x.Extern))
}

// checkAttributes checks what is said about a name. Binary.md, "Import and Export Definitions".
func checkAttributes(n *binary.ExternName, parsed name, x extern) error {
	if n.HasImplements() {
		iface, err := parseName(n.Implements)
		switch {
		case x.Sort != types.SortInstance:
			return errors.New("only instances can implement an interface")
		case parsed.iface || parsed.annotation != noAnnotation:
			return errors.New("only a plain name can be followed by the interface that it implements")
		case err != nil:
			return fmt.Errorf("it implements %q: not a valid name: %w", n.Implements, err)
		case !iface.iface:
			return fmt.Errorf("it implements %q, which must be an interface", n.Implements)
		}
		return iface.checkVersion(n.VersionSuffix, n.HasVersionSuffix())
	}
	if n.HasVersionSuffix() && !parsed.iface {
		return errors.New("the rest of a version can only follow the name of an interface")
	}
	return nil
}

// checkAnnotation checks that a function that is annotated as one of a resource type is one.
func (v *validator) checkAnnotation(side *side, n name, x extern) error {
	if n.annotation == noAnnotation {
		return nil
	}
	if x.Sort != types.SortFunc {
		return fmt.Errorf("a %s: only a function can be a %s", x.Sort, n.annotation)
	}
	var handle *types.Type
	switch n.annotation {
	case static:
		if !side.labels[n.label] {
			return fmt.Errorf("no resource type %q is %sed before it", n.label, side.what)
		}
		return nil
	case constructor:
		handle = x.Func.Result
		if handle != nil && handle.Kind == types.Result {
			handle = handle.OK
		}
		if handle == nil || handle.Kind != types.Own {
			return errors.New("a constructor must return an own handle of its resource, or a result with one")
		}
	case method:
		if len(x.Func.Params) == 0 || x.Func.Params[0].Name != "self" || x.Func.Params[0].Type.Kind != types.Borrow {
			return errors.New(`a method must have a first parameter "self" that is a borrowed handle of its resource`)
		}
		handle = x.Func.Params[0].Type
	}
	if l, ok := side.resources[token{handle.Resource, v.values[handle].alias}]; !ok || l != n.label {
		return fmt.Errorf("the function is not one of a resource type that is %sed as %q before it", side.what, n.label)
	}
	return nil
}
