package weave

import (
	"maps"
	"slices"
)

const (
	// maxHole is how many entries of other types may lie between two of one type that are found by the same jump. An entry takes eight
	// bytes of machine code. To leave the hole out would take a comparison, which a processor guesses wrong half of the time.
	maxHole = 64
	// maxHoles bounds all holes of a module, in entries. The engine takes microseconds for each, and the largest JavaScript engine at hand
	// has half as many.
	maxHoles = 1 << 16
	// maxJump bounds the entries of one jump: for larger ones the time that the engine takes grows with the square.
	maxJump = 1 << 11
	// maxClusters bounds the comparisons between jumps. That engine has 233; the square again.
	maxClusters = 1 << 11
	// fewTargets is up to how many targets are compared one by one.
	fewTargets = 2
)

// target is an entry of a table that holds a function of the type in question.
type target struct {
	index, function uint32
}

// cluster is targets that lie close together, in order.
type cluster []target

// targets returns the entries that hold a function, in order, by its canonical type.
func (m *Module) targets(t *privateTable) map[int][]target {
	all := map[int][]target{}
	for i, f := range t.entries {
		if f != none {
			typ := m.canonical[m.functions[f]]
			all[typ] = append(all[typ], target{uint32(i), uint32(f)})
		}
	}
	return all
}

// clusters takes targets of one type apart where they do not lie close together.
func (d *dispatch) clusters(targets []target) []cluster {
	var all []cluster
	for _, next := range targets {
		if n := len(all); n > 0 {
			last := all[n-1]
			hole := int(next.index - last[len(last)-1].index - 1)
			if hole <= maxHole && d.holes+hole <= maxHoles && next.index-last[0].index < maxJump {
				d.holes += hole
				all[n-1] = append(last, next)
				continue
			}
		}
		all = append(all, cluster{next})
	}
	return all
}

// dropScattered drops the tables that would take very many comparisons.
func (m *Module) dropScattered(tables map[uint32]*privateTable) {
	trial := &dispatch{}
	for _, index := range slices.Sorted(maps.Keys(tables)) {
		n, targets := 0, m.targets(tables[index])
		for _, typ := range slices.Sorted(maps.Keys(targets)) {
			n += len(trial.clusters(targets[typ]))
		}
		if n > maxClusters {
			delete(tables, index)
		}
	}
}

// writeMiss writes the function that is called with an index where no function of the right type is: it traps as the engine would.
func (t *privateTable) writeMiss(w *writer, traps traps) {
	w.byte(0)
	for i := 0; i < len(t.entries); i++ {
		if t.entries[i] == none {
			continue
		}
		from := i
		for i < len(t.entries) && t.entries[i] != none {
			i++
		}
		w.raw([]byte{opLocalGet, 0})
		w.b = appendI32Const(w.b, int32(from))
		w.byte(opI32Sub)
		w.b = appendI32Const(w.b, int32(i-from))
		w.raw([]byte{opI32LtU, opIf, typeEmpty, opCall})
		w.u32(traps.otherType)
		w.byte(opEnd)
	}
	w.byte(opCall)
	w.u32(traps.noEntry)
	w.byte(opEnd)
}

// dispatcher writes a dispatch function.
type dispatcher struct {
	m     *Module
	w     *writer
	index uint32 // the parameter
	tail  bool   // it calls in place of itself
}

func (m *Module) writeDispatcher(w *writer, t Type, clusters []cluster, miss uint32) {
	d := &dispatcher{m: m, w: w, index: uint32(len(t.Params) - 1), tail: inRegisters(t.Params) && inRegisters(t.Results)}
	w.byte(0)
	if len(clusters) > 0 {
		d.search(clusters)
	}
	d.get()
	w.byte(opCall)
	w.u32(miss)
	w.raw([]byte{opUnreachable, opEnd})
}

func (d *dispatcher) get() {
	d.w.byte(opLocalGet)
	d.w.u32(d.index)
}

func (d *dispatcher) constant(v uint32) { d.w.b = appendI32Const(d.w.b, int32(v)) }

// search finds the cluster that the index may be in. What it writes returns from the function, or ends when there is none.
func (d *dispatcher) search(clusters []cluster) {
	if len(clusters) == 1 {
		d.find(clusters[0])
		return
	}
	middle := len(clusters) / 2
	d.get()
	d.constant(clusters[middle][0].index)
	d.w.raw([]byte{opI32LtU, opIf, typeEmpty})
	d.search(clusters[:middle])
	d.w.byte(opElse)
	d.search(clusters[middle:])
	d.w.byte(opEnd)
}

// find calls the function that the index means. The same as for search.
func (d *dispatcher) find(targets cluster) {
	if len(targets) <= fewTargets {
		for _, t := range targets {
			d.get()
			d.constant(t.index)
			d.w.raw([]byte{opI32Eq, opIf, typeEmpty})
			d.call(t.function)
			d.w.byte(opEnd)
		}
		return
	}
	d.jump(targets)
}

// jump is find by a table of jumps.
func (d *dispatcher) jump(targets cluster) {
	arms := map[uint32]int{} // by function: some are in a table more than once
	var order []uint32
	for _, t := range targets {
		if _, ok := arms[t.function]; !ok {
			arms[t.function] = len(order)
			order = append(order, t.function)
		}
	}
	w := d.w
	for range len(order) + 1 {
		w.raw([]byte{opBlock, typeEmpty})
	}
	first := targets[0].index
	d.get()
	if first > 0 {
		d.constant(first)
		w.byte(opI32Sub)
	}
	w.byte(opBrTable)
	w.u32(targets[len(targets)-1].index - first + 1)
	for next := first; len(targets) > 0; next++ {
		if targets[0].index != next {
			w.u32(uint32(len(order)))
			continue
		}
		w.u32(uint32(arms[targets[0].function]))
		targets = targets[1:]
	}
	w.u32(uint32(len(order)))
	for _, f := range order {
		w.byte(opEnd)
		d.call(f)
	}
	w.byte(opEnd)
}

// inRegisters reports whether values are passed in registers, on every processor. Then a function that has called another in place of
// itself has nothing on the stack that its caller would look for; the engine has no tail calls otherwise.
func inRegisters(values []byte) bool {
	integers, floats := 6, 8
	for _, v := range values {
		switch v {
		case typeF32, typeF64, typeV128:
			floats--
		default:
			integers--
		}
	}
	return integers >= 0 && floats >= 0
}

// call calls a function with all parameters but the index, and returns what it returns.
func (d *dispatcher) call(function uint32) {
	for p := range d.index {
		d.w.byte(opLocalGet)
		d.w.u32(p)
	}
	if d.tail {
		d.w.byte(opReturnCall)
		d.w.u32(d.m.moved(function))
		return
	}
	d.w.byte(opCall)
	d.w.u32(d.m.moved(function))
	d.w.byte(opReturn)
}
