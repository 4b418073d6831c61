package component

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/binary"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// module is a core module of a component.
type module struct {
	definition *binary.CoreModule
	read       *weave.Module
}

func (l *linker) module(d *binary.CoreModule) (*module, error) {
	if m := l.modules[d]; m != nil {
		return m, nil
	}
	read, err := weave.Read(d.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: the core module at byte %#x: %w", ErrMalformed, d.At(), err)
	}
	m := &module{definition: d, read: read}
	l.modules[d] = m
	return m, nil
}
