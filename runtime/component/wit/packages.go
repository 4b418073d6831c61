package wit

import (
	"fmt"
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// Packages are the packages of the sources that [Parse] read, in their order.
type Packages struct {
	Packages []*Package
}

// Package is a package: "wasi:io", and its version, which may be empty.
type Package struct {
	Name, Version string
	Interfaces    []*Interface // in the order of the text
}

// Interface is an interface, as the type of the instance that implements it. Exports of sort type come first, each behind those it is made
// of, then functions, in the order of the text.
type Interface struct {
	Name string
	Type *types.Instance
}

// Interface finds an interface by its name, with its package and perhaps a version: "wasi:io/streams" or "wasi:io/streams@0.2.12". It
// returns the version of the package too.
func (ps *Packages) Interface(name string) (i *types.Instance, version string, ok bool) {
	pkg, name, _ := strings.Cut(name, "/")
	name, want, exact := strings.Cut(name, "@")
	for _, p := range ps.Packages {
		if p.Name != pkg || exact && p.Version != want {
			continue
		}
		for _, i := range p.Interfaces {
			if i.Name == name {
				return i.Type, p.Version, true
			}
		}
	}
	return nil, "", false
}

// Parse reads the text of packages, one in each source, that may use one another's types. What it returns shares nothing with another
// call's: resources of the same name are different ones.
//
// Errors name the package, line and column.
func Parse(sources ...string) (*Packages, error) {
	r := newResolver()
	ps := &Packages{}
	for i, source := range sources {
		d, err := parseDocument(source)
		if err == nil {
			err = r.declare(d)
		}
		if err != nil {
			return nil, inDocument(d, i, err)
		}
	}
	for i, d := range r.documents {
		p := &Package{Name: d.name, Version: d.version}
		for _, decl := range d.interfaces {
			s, err := r.resolve(d, decl)
			if err != nil {
				return nil, inDocument(r.failed(d), i, err)
			}
			p.Interfaces = append(p.Interfaces, &Interface{Name: decl.name, Type: s.instance})
		}
		ps.Packages = append(ps.Packages, p)
	}
	return ps, nil
}

// inDocument says in which source an error is.
func inDocument(d *document, number int, err error) error {
	if d.name == "" {
		return fmt.Errorf("WIT source %d: %w", number+1, err)
	}
	return fmt.Errorf("WIT package %s: %w", qualified(d.name, d.version), err)
}

// qualified is the name of a package or interface with a version.
func qualified(name, version string) string {
	if version == "" {
		return name
	}
	return name + "@" + version
}
