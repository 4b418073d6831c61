package nodecache

import (
	"context"
	"fmt"
)

// Maker makes entries and knows whole ones from broken ones.
type Maker struct {
	Fill   func(context.Context, Work) error
	Verify func(dir string) error
	Broken func(error) // is told why an entry that was there is made again; nil: nobody is
	Tries  int         // how often one may be found broken
}

// FillWhole is Fill for an entry that is whole: one that was there is verified, and made again if it is broken. It reports whether it was
// made, which is not verified once more: that is the maker's.
func (c *Cache) FillWhole(ctx context.Context, digest Digest, m Maker) (*Entry, bool, error) {
	var broken error
	for range m.Tries {
		made := false
		e, err := c.Fill(ctx, digest, func(ctx context.Context, w Work) error {
			made = true
			return m.Fill(ctx, w)
		})
		if made || err != nil {
			return e, made, err
		}
		if broken = m.Verify(e.Path()); broken == nil {
			return e, false, nil
		}
		if m.Broken != nil {
			m.Broken(broken)
		}
		if err := e.Discard(); err != nil {
			return nil, false, fmt.Errorf("remove a broken entry: %w", err)
		}
	}
	return nil, false, broken
}
