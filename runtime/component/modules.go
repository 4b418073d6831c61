package component

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// module is a core module of a component, or of the host.
type module struct {
	definition *binary.CoreModule
	read       *weave.Module // nil until it is instantiated
	missing    error         // set when nobody provides it, which matters when it is instantiated
}

// module returns the same for the same definition, however often the component that it is in is instantiated.
func (l *linker) module(d *binary.CoreModule) *module {
	m := l.modules[d]
	if m == nil {
		m = &module{definition: d}
		l.modules[d] = m
	}
	return m
}

// imports is what the module imports.
func (m *module) imports() ([]weave.Import, error) {
	if m.missing != nil {
		return nil, m.missing
	}
	if m.read == nil {
		read, err := weave.Read(m.definition.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: the core module at byte %#x: %w", ErrMalformed, m.definition.At(), err)
		}
		m.read = read
	}
	return m.read.Imports, nil
}
