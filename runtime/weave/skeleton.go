package weave

import (
	"bytes"
	"crypto/sha256"
)

// madeOfName is the custom section with the sha256 of the whole module, so that two modules that differ in what is left out differ still.
const madeOfName = "mayfly.of"

// emptyBody is the body of a function that traps: no local variables, unreachable, end.
var emptyBody = []byte{3, 0, opUnreachable, opEnd}

// Skeleton returns a woven module with nothing in its functions. To an engine that has the code of the whole module already it is as good as
// that, and takes no time to be validated; without the code every function traps, and so does the canary.
func Skeleton(woven []byte) ([]byte, error) {
	return leaveOut(woven, func(id int, name string) bool { return id == sectionCustom && name != "name" })
}

// Outline returns what Read, Exports, Imports and Unrestorable need of a module: no code, and none of what fills memories and tables. It cannot be woven to
// anything useful.
func Outline(wasm []byte) ([]byte, error) {
	m, err := Read(wasm)
	if err != nil {
		return nil, err
	}
	b, err := leaveOut(wasm, func(id int, _ string) bool {
		return id == sectionCustom || id == sectionElement || id == sectionData || id == sectionDataCount
	})
	if err != nil {
		return nil, err
	}
	w := &writer{b: b}
	m.writeState(w)
	return w.b, nil
}

// leaveOut copies a module less some sections and all bodies.
func leaveOut(wasm []byte, without func(id int, name string) bool) ([]byte, error) {
	r := &reader{b: wasm}
	if !bytes.HasPrefix(wasm, preamble) {
		r.fail("it does not begin as a module of version 1")
	}
	r.pos = min(len(preamble), len(wasm))
	w := &writer{b: make([]byte, 0, len(wasm)/16+1<<10)}
	w.raw(preamble)
	for r.more() {
		id := int(r.byte())
		s := r.sub(r.u32())
		name := ""
		if id == sectionCustom {
			name = s.name(maxImportName)
			s.pos = 0
		}
		switch {
		case s.err != nil || without(id, name):
		case id == sectionCode:
			w.section(sectionCode, func(w *writer) { s.emptyBodies(w) })
		default:
			w.section(byte(id), func(w *writer) { w.raw(s.b) })
		}
		r.join(s)
	}
	if r.err != nil {
		return nil, r.err
	}
	digest := sha256.Sum256(wasm)
	w.section(sectionCustom, func(w *writer) {
		w.name(madeOfName)
		w.raw(digest[:])
	})
	return w.b, nil
}

// emptyBodies writes a code section with as many bodies as this one has.
func (r *reader) emptyBodies(w *writer) {
	n := r.count("functions", 2*maxFunctions)
	w.u32(uint32(n))
	for ; n > 0 && r.err == nil; n-- {
		r.bytes(r.u32())
		w.raw(emptyBody)
	}
}

// Bodies returns how many functions a module has code for. It is for modules that Skeleton returned.
func Bodies(wasm []byte) (int, error) {
	r := &reader{b: wasm, pos: min(len(preamble), len(wasm))}
	for r.more() {
		id := int(r.byte())
		if s := r.sub(r.u32()); id == sectionCode && s.err == nil {
			return int(s.u32()), nil
		}
	}
	if r.err != nil {
		return 0, r.err
	}
	return 0, nil
}
