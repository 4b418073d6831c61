package component

import (
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// Uses are those of packages that the component imports something of, in any version, and those that these use. A host of them has all that
// the component needs, and is made sooner than one of all packages; what it says of what is missing knows no others.
func (d *Definition) Uses(packages []Package) []Package {
	names := make([]string, len(packages))
	used := make([]bool, len(packages))
	for k := range packages {
		names[k] = packages[k].name()
		used[k] = names[k] == "" || slices.ContainsFunc(d.typ.Imports, func(im types.Named) bool {
			pkg, _, _ := strings.Cut(im.Name, "/")
			return pkg == names[k]
		})
	}
	for again := true; again; {
		again = false
		for k := range packages {
			for other := range packages {
				if used[k] && !used[other] && strings.Contains(packages[k].WIT, names[other]+"/") {
					used[other], again = true, true
				}
			}
		}
	}
	var all []Package
	for k := range packages {
		if used[k] {
			all = append(all, packages[k])
		}
	}
	return all
}

// name is the package's, without its version; "" where the text does not begin with it.
func (p *Package) name() string {
	rest, ok := strings.CutPrefix(p.WIT, "package ")
	end := strings.IndexAny(rest, "@;")
	if !ok || end < 0 {
		return ""
	}
	return strings.TrimSpace(rest[:end])
}
