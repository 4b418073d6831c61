package binary

// names reads the custom section with names. Names are no part of the component's meaning: what is wrong is left out.
// Binary.md, "Name Section".
func (r *reader) names() *Names {
	const componentName, sortNames = 0, 1
	spare := *r.items // names that are too many must not be the component's undoing
	n := &Names{Sorts: map[Sort]map[uint32]string{}}
	in := &reader{b: r.b, pos: r.pos, base: r.base, section: r.section, items: &spare}
	for in.more() {
		id := in.byte()
		s := in.sub(in.u32())
		switch id {
		case componentName:
			n.Component = s.name()
		case sortNames:
			sort := s.sort()
			names := map[uint32]string{}
			for left := s.count("names", maxItems); left > 0 && s.err == nil; left-- {
				i := s.u32()
				if name := s.name(); s.err == nil {
					names[i] = name
				}
			}
			if s.err == nil {
				n.Sorts[sort] = names
			}
		}
	}
	*r.items = spare
	if n.Component == "" && len(n.Sorts) == 0 {
		return nil
	}
	return n
}
