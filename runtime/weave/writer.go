package weave

// writer builds the woven module. The methods of a nil writer do nothing, so that what reads can be what copies.
type writer struct {
	b []byte
}

func (w *writer) byte(c byte) {
	if w != nil {
		w.b = append(w.b, c)
	}
}

func (w *writer) u32(v uint32) {
	if w != nil {
		w.b = appendU32(w.b, v)
	}
}

func (w *writer) raw(b []byte) {
	if w != nil {
		w.b = append(w.b, b...)
	}
}

func (w *writer) name(s string) {
	w.u32(uint32(len(s)))
	w.raw([]byte(s))
}

// function returns the woven module's index of a function.
func (w *writer) function(m *Module, i uint32) uint32 {
	if w == nil {
		return i
	}
	return m.moved(i)
}

// sized appends what build writes, with its size before it.
func (w *writer) sized(build func(w *writer)) {
	const room = 5 // a number of 32 bits
	at := len(w.b)
	w.b = append(w.b, make([]byte, room)...)
	build(w)
	size := len(w.b) - at - room
	n := len(appendU32(w.b[at:at], uint32(size)))
	w.b = append(w.b[:at+n], w.b[at+room:]...)
}

func (w *writer) section(id byte, build func(w *writer)) {
	w.byte(id)
	w.sized(build)
}
