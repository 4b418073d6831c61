//go:build !linux

package instance

func newSlot(p *pool) (slot, error) { return &heapSlot{image: p.image}, nil }
