package weave

import (
	"cmp"
	"slices"
)

// maxGap is how many bytes of zeroes may lie between two data segments that are joined: to copy them costs less than another segment.
const maxGap = 1 << 10

// segment is an active data segment of which is known where it goes.
type segment struct {
	at    uint64
	bytes []byte
}

func (s segment) end() uint64 { return s.at + uint64(len(s.bytes)) }

// writeData writes the data section with neighbouring segments joined, and reports whether it did. Go's compiler, and tools that take
// snapshots, make a segment of each run of bytes that are not zero: ten thousand and more, and an engine computes the place of each
// again for every instance.
//
// Nobody can tell where no instruction names a segment, the memory is the module's own and large enough for all of them from the start,
// and no two overlap: their order makes no difference then, and what lies between is zero.
func (m *Module) writeData(w *writer) bool {
	segments, ok := m.placed()
	if !ok {
		return false
	}
	w.section(sectionData, func(w *writer) {
		var joined []segment
		spare := len(m.sections[sectionData].b) // for zeroes: the section doubles at most
		for _, s := range segments {
			if n := len(joined); n > 0 {
				last := &joined[n-1]
				if gap := int(s.at - last.end()); gap <= maxGap && gap <= spare {
					spare -= gap
					last.bytes = append(append(last.bytes, make([]byte, gap)...), s.bytes...)
					continue
				}
			}
			joined = append(joined, segment{s.at, s.bytes[:len(s.bytes):len(s.bytes)]})
		}
		w.u32(uint32(len(joined)))
		for _, s := range joined {
			w.u32(0)
			w.b = append(appendI32Const(w.b, int32(s.at)), opEnd)
			w.u32(uint32(len(s.bytes)))
			w.raw(s.bytes)
		}
	})
	return true
}

// placed returns the data segments, if they may be joined.
func (m *Module) placed() ([]segment, bool) {
	section := m.sections[sectionData]
	if section == nil || m.namesData || m.Memory == nil {
		return nil, false
	}
	r := *section
	r.pos = 0
	n := r.u32()
	if count := m.sections[sectionDataCount]; count != nil {
		c := *count
		c.pos = 0
		if c.u32() != n {
			return nil, false // for the engine to refuse
		}
	}
	segments := make([]segment, 0, n)
	limit := m.Memory.Min << 16
	for ; n > 0; n-- {
		if r.u32() != 0 || r.byte() != opI32Const {
			return nil, false
		}
		at, ok := r.i32()
		if !ok || r.byte() != opEnd {
			return nil, false
		}
		s := segment{uint64(uint32(at)), r.bytes(r.u32())}
		if r.err != nil || s.end() > limit {
			return nil, false
		}
		if len(s.bytes) > 0 {
			segments = append(segments, s)
		}
	}
	slices.SortFunc(segments, func(a, b segment) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i < len(segments); i++ {
		if segments[i].at < segments[i-1].end() {
			return nil, false
		}
	}
	return segments, true
}
