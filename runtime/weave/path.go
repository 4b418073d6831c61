package weave

import "math"

// place is where a check stands.
type place byte

const (
	nowhere place = iota
	before        // the instruction
	behind        // it
	instead       // of it: the branch is part of the check
)

// path follows the instructions of a body and says where it needs a tick's checks: where a loop begins anew, and where it is far from
// the last one.
//
// They stand before the branches and not at the beginning of the loop, where one would do. For the values that a loop changes the
// engine has one place there, and would keep it up to date in memory, for the case that the call is made, in every round. A value just
// computed is stored when the call is made, and only then.
type path struct {
	limit int     // instructions without a check
	since int     // the last check, on the longest way here; negative: there is no way
	open  []label // blocks that have begun
}

// noWay is negative for all of a function.
const noWay = math.MinInt32

// label is a block that branches lead to.
type label struct {
	loop    bool // they lead to its beginning
	checked bool // where there is a check
	since   int  // as path.since, at its end: on the way by branches
	skipped int  // the same, on the way around an if without else
}

// next returns where an instruction needs a check. labels are those of a br_table.
func (p *path) next(in instruction, labels []uint32) place {
	p.since++
	switch in.op {
	case opCall, opCallIndirect:
		p.since += leafCost
	case opBulk:
		if in.sub >= bulkMemoryInit {
			p.since += leafCost
		}
	}
	at := nowhere
	if p.since >= p.limit && in.op != opBr && in.op != opBrIf { // those have one of their own, or the next has
		at, p.since = before, 0
	}
	switch in.op {
	case opBlock:
		p.begin(label{since: noWay, skipped: noWay})
	case opIf:
		p.begin(label{since: noWay, skipped: p.since})
	case opLoop:
		p.begin(label{loop: true, checked: in.params, since: noWay, skipped: noWay})
		if in.params { // what it takes lies on the stack, where an if around a branch would not reach it
			at, p.since = behind, 0
		}
	case opElse:
		if n := len(p.open); n > 0 {
			l := &p.open[n-1]
			l.since = max(l.since, p.since)
			p.since, l.skipped = l.skipped, noWay
		}
	case opEnd:
		if n := len(p.open); n > 0 {
			p.since = max(p.since, p.open[n-1].since, p.open[n-1].skipped)
			p.open = p.open[:n-1]
		}
	case opBr:
		if p.branch(in.index) {
			at = instead
		}
		p.since = noWay
	case opBrIf:
		if p.branch(in.index) {
			at = instead
		}
	case opBrTable:
		for _, l := range labels {
			if p.branch(l) {
				at = before
			}
		}
		p.since = noWay
	case opReturn, opUnreachable:
		p.since = noWay
	}
	return at
}

func (p *path) begin(l label) { p.open = append(p.open, l) }

// branch notes a branch to a label, and reports whether it needs a check.
func (p *path) branch(to uint32) bool {
	if uint64(to) >= uint64(len(p.open)) { // the end of the function, or for the engine to refuse
		return false
	}
	l := &p.open[len(p.open)-1-int(to)]
	if !l.loop {
		l.since = max(l.since, p.since)
	}
	return l.loop && !l.checked
}
