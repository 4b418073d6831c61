package instance

import "context"

// Prove instantiates the module and lets nothing of it run but what tells whether its code is right, see [NewRuntimeFrom]. It is of no other use
// after that.
func (m *Module) Prove(ctx context.Context) error {
	m.hasStart = false
	i, err := m.Instantiate(ctx, Call{})
	if err != nil {
		return err
	}
	return i.Close()
}

// Prove is that of [Module.Prove], for a group.
func (g *Group) Prove(ctx context.Context) error {
	for k := range g.parts {
		g.parts[k].start = nil
	}
	i, err := g.Instantiate(ctx, nil)
	if err != nil {
		return err
	}
	return i.Close()
}
