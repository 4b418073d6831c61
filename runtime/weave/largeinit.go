package weave

import (
	"maps"
	"slices"
)

// planInits adds a function for each passive data segment of more than a chunk that memory.init is used with: it takes long, and is done
// in pieces. The segment is part of the instruction, so each needs a function of its own.
func (m *Module) planInits() {
	m.inPieces = map[uint32]uint32{}
	sizes := m.largePassive()
	if len(sizes) == 0 || len(m.memories) == 0 {
		return
	}
	s := m.survey()
	if s == nil {
		return // weaving the same functions will say why
	}
	d := m.dispatch
	typ := d.typeOf(Type{Params: []byte{typeI32, typeI32, typeI32}})
	for _, segment := range slices.Sorted(maps.Keys(sizes)) {
		if !s.inits[segment] {
			continue
		}
		m.inPieces[segment] = m.extra(len(d.functions))
		d.functions = append(d.functions, added{typ, AddedName, func(w *writer) { m.writeInit(w, segment, sizes[segment]) }})
	}
}

// largePassive returns the sizes of the passive data segments of more than a chunk, by their numbers.
func (m *Module) largePassive() map[uint32]uint32 {
	section := m.sections[sectionData]
	if section == nil {
		return nil
	}
	sizes := map[uint32]uint32{}
	r := *section
	r.pos = 0
	for n := range r.u32() {
		at := r.pos
		if m.segment(&r, nil) != segmentPassive {
			continue
		}
		s := reader{b: r.since(at)}
		s.u32()
		if size := s.u32(); size > 1<<m.measure.chunkBits {
			sizes[n] = size
		}
	}
	return sizes
}

// writeInit: memory.init in chunks. What is out of bounds of the memory or the segment is not cut, so that it traps before it writes. If the
// segment has been dropped the first chunk traps.
func (m *Module) writeInit(w *writer, segment, length uint32) {
	w.byte(0)
	op := append(appendU32([]byte{opBulk, bulkMemoryInit}, segment), 0)
	m.ifLarge(w, to)
	w.raw([]byte{opLocalGet, from, opI64ExtendU, opLocalGet, size, opI64ExtendU, opI64Add})
	w.b = appendI64Const(w.b, int64(length))
	w.raw([]byte{opI64LeU, opIf, typeEmpty})
	w.raw([]byte{opLoop, typeEmpty})
	w.raw([]byte{opLocalGet, to, opLocalGet, from})
	m.chunk(w)
	w.raw(op)
	m.advance(w, to, opI32Add)
	m.advance(w, from, opI32Add)
	m.nextChunk(w)
	w.raw([]byte{opEnd, opEnd, opEnd, opEnd})
	m.rest(w, op)
}
