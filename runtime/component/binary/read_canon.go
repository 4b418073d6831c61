package binary

// Opcodes of canonical definitions. Binary.md, "Canonical Definitions".
const (
	canonLift         = 0x00
	canonLower        = 0x01
	canonResourceNew  = 0x02
	canonResourceDrop = 0x03
	canonResourceRep  = 0x04
)

// laterBuiltins are the canonical definitions that mayfly has not.
var laterBuiltins = map[byte]string{
	0x05: "task.cancel", 0x06: "subtask.cancel", 0x07: "resource.drop async", 0x08: "backpressure.set", 0x09: "task.return",
	0x0a: "context.get", 0x0b: "context.set", 0x0c: "thread.yield", 0x0d: "subtask.drop",
	0x0e: "stream.new", 0x0f: "stream.read", 0x10: "stream.write", 0x11: "stream.cancel-read", 0x12: "stream.cancel-write",
	0x13: "stream.drop-readable", 0x14: "stream.drop-writable", 0x2e: "stream.forward",
	0x15: "future.new", 0x16: "future.read", 0x17: "future.write", 0x18: "future.cancel-read", 0x19: "future.cancel-write",
	0x1a: "future.drop-readable", 0x1b: "future.drop-writable", 0x2f: "future.forward",
	0x1c: "error-context.new", 0x1d: "error-context.debug-message", 0x1e: "error-context.drop",
	0x1f: "waitable-set.new", 0x20: "waitable-set.wait", 0x21: "waitable-set.poll", 0x22: "waitable-set.drop", 0x23: "waitable.join",
	0x24: "backpressure.inc", 0x25: "backpressure.dec",
	0x26: "thread.index", 0x27: "thread.new-indirect", 0x28: "thread.resume-later", 0x29: "thread.suspend",
	0x2a: "thread.suspend-then-resume", 0x2b: "thread.yield-then-resume", 0x2c: "thread.suspend-then-promote",
	0x2d: "thread.yield-then-promote", 0x40: "thread.spawn-ref", 0x41: "thread.spawn-indirect",
	0x42: "thread.available-parallelism",
}

// canon reads a canonical definition. Binary.md, "canon".
func (r *reader) canon() Definition {
	at := r.here()
	start := r.pos
	switch op := r.byte(); op {
	case canonLift:
		r.expect(0x00, "sort of a lifted function")
		return &Lift{Pos: at, CoreFunc: r.u32(), Options: r.options("lift"), Type: r.u32()}
	case canonLower:
		r.expect(0x00, "sort of a lowered function")
		return &Lower{Pos: at, Func: r.u32(), Options: r.options("lower")}
	case canonResourceNew, canonResourceDrop, canonResourceRep:
		return &ResourceFunc{Pos: at, Op: resourceOp(op), Type: r.u32()}
	default:
		if name, ok := laterBuiltins[op]; ok {
			r.later(start, name)
		} else {
			r.failAt(start, "canonical function %#02x: not known", op)
		}
		return nil
	}
}

func resourceOp(op byte) ResourceOp {
	switch op {
	case canonResourceNew:
		return ResourceNew
	case canonResourceDrop:
		return ResourceDrop
	}
	return ResourceRep
}

// options reads the options of a lift or lower. Binary.md, "canonopt".
func (r *reader) options(of string) Options {
	var o Options
	given := 0 // a set of opcodes
	for n := r.count("options", maxOptions); n > 0 && r.err == nil; n-- {
		at := r.pos
		op := r.byte()
		bit := 1 << op
		if op <= 0x02 {
			bit = 1 // one encoding excludes the others
		}
		if op <= 0x05 && given&bit != 0 {
			r.failAt(at, "an option of a %s is given twice", of)
			break
		}
		given |= bit
		switch op {
		case 0x00, 0x01, 0x02:
			o.Encoding = Encoding(op)
		case 0x03:
			o.Memory = r.someIndex()
		case 0x04:
			o.Realloc = r.someIndex()
		case 0x05:
			o.PostReturn = r.someIndex()
		case 0x06:
			r.later(at, "async "+of)
		case 0x07:
			r.later(at, "callback of a "+of)
		case 0x08, 0x09:
			r.refuse(at, "a %s with garbage collected types is not supported", of)
		default:
			r.failAt(at, "option %#02x of a %s: not known", op, of)
		}
	}
	return o
}

func (r *reader) someIndex() *uint32 {
	i := r.u32()
	return &i
}
