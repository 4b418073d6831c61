package wave

import (
	"fmt"
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/wit"
)

// ParseCall reads a call of a function: its name, however it is called where lookup finds its type, and arguments in parentheses. Options
// at the end may be left out: they are none.
//
//	add(1, 2)
//	wasi:cli/run@0.2.0#run()
func ParseCall(text string, lookup func(name string) (*types.Func, error)) (name string, args []abi.Value, err error) {
	p, err := newParser(text)
	if err != nil {
		return "", nil, err
	}
	p.space()
	rest := p.text[p.at:]
	end := strings.IndexAny(rest, "(\n")
	if end < 0 || rest[end] != '(' || strings.TrimSpace(rest[:end]) == "" {
		return "", nil, fmt.Errorf("expected a call: a function's name, and its arguments in parentheses, as in add(1, 2)")
	}
	name = strings.TrimSpace(rest[:end])
	f, err := lookup(name)
	if err != nil {
		return "", nil, err
	}
	p.at += end + len("(")
	if args, err = p.arguments(f); err == nil {
		err = p.end()
	}
	if err != nil {
		return "", nil, fmt.Errorf("%w (%s is %s)", err, name, wit.Func(f))
	}
	return name, args, nil
}

func (p *parser) arguments(f *types.Func) ([]abi.Value, error) {
	args := make([]abi.Value, 0, len(f.Params))
	err := p.sequence(")", func() error {
		if len(args) == len(f.Params) {
			return p.unexpected(")")
		}
		v, err := p.value(f.Params[len(args)].Type)
		args = append(args, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, param := range f.Params[len(args):] {
		if param.Type.Kind != types.Option {
			p.at-- // at the parenthesis
			return nil, p.errorf("no argument %s", param.Name)
		}
		args = append(args, abi.None())
	}
	return args, nil
}
