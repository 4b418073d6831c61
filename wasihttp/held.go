package wasihttp

// maxHeld bounds what a guest has of the host's memory in fields, paths, and bodies that are not on their way or not read, in bytes. A
// handle costs the guest next to nothing, and may have 128 KiB behind it.
const maxHeld = 24 << 20

// errHeld ends a guest: most functions have no error that it could be told.
var errHeld = trapped("the guest holds more than 24 MiB of fields and bodies: it must drop what it no longer uses")

// hold counts what a resource of the guest holds, until release. A guest of nil counts nothing.
func (g *guest) hold(bytes int) error {
	if g == nil {
		return nil
	}
	if g.held+bytes > maxHeld {
		g.sweep()
	}
	if g.held+bytes > maxHeld {
		return errHeld
	}
	g.held += bytes
	return nil
}

func (g *guest) release(bytes int) {
	if g != nil {
		g.held -= bytes
	}
}

// heldBy counts the fields as the guest's, until drop.
func (f *fields) heldBy(g *guest) (*fields, error) {
	if err := g.hold(f.size); err != nil {
		return nil, err
	}
	f.guest = g
	return f, nil
}

func (f *fields) drop() {
	f.guest.release(f.size)
	f.guest = nil
}
