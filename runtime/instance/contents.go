package instance

import "github.com/mayfly-run/mayfly/runtime/weave"

// maxContents bounds what the data segments of a group are taken to write to its memories, all together, in bytes: equal parts that share a memory
// may write to it a thousand times. What is more stays in the modules.
const maxContents = 1 << 30

// contents is what the memories of a group begin with.
//
// A part's active data segments write to a memory when the part is instantiated. Nobody can tell that from a memory that has it all from
// the start, as long as no code runs in between: that is until a part that was made after the memory, or with it, has a start function. And a
// segment that fails ends the instance.
type contents struct {
	linker    *linker
	memories  []content
	taken     []int // of each part, see weave.Module.TakeData
	lastStart int   // the last part with a start function so far, or -1
	bytes     uint64
	imports   [][]int // of each part, which of its imports are globals
	globals   map[global]globalValue
}

type content struct {
	part     int // that has the memory
	size     uint64
	segments []weave.Segment
	ended    bool // a segment had to stay in a module, so those that come after it must too
}

// global is one of a part's, by its number.
type global struct{ part, number int }

type globalValue struct {
	value int32
	known bool
}

func newContents(l *linker) *contents {
	return &contents{linker: l, lastStart: -1, globals: map[global]globalValue{}}
}

// add takes the data segments of the next part, as far as it may.
func (c *contents) add(k int, read *weave.Module, memory int) {
	c.taken, c.imports = append(c.taken, 0), append(c.imports, nil)
	for j := range read.Imports {
		if read.Imports[j].Kind == weave.Global {
			c.imports[k] = append(c.imports[k], j)
		}
	}
	if m := read.Memory; m != nil {
		c.memories = append(c.memories, content{part: k, size: m.Min * pageSize})
	}
	if memory >= 0 {
		c.take(k, read, &c.memories[memory])
	}
	if read.HasStart() {
		c.lastStart = k
	}
}

func (c *contents) take(k int, read *weave.Module, to *content) {
	if to.ended || c.lastStart >= to.part {
		return
	}
	segments, n := read.Data(to.size, func(g int) (int32, bool) { return c.imported(k, g) })
	for _, s := range segments {
		c.bytes += uint64(len(s.Bytes))
	}
	if c.bytes > maxContents {
		to.ended = true
		return
	}
	to.segments = append(to.segments, segments...)
	c.taken[k] = n
	to.ended = n < read.Segments()
}

// imported returns the value of a global that part k imports and nobody can change: it is what an earlier part's begins with.
func (c *contents) imported(k, number int) (int32, bool) {
	at := global{k, number}
	if v, ok := c.globals[at]; ok {
		return v.value, v.known
	}
	t := c.linker.spec.Parts[k].Imports[c.imports[k][number]]
	from := c.linker.sources[t.Part]
	v := globalValue{}
	v.value, v.known = from.read.GlobalValue(from.globals[t.Export], func(g int) (int32, bool) { return c.imported(t.Part, g) })
	c.globals[at] = v
	return v.value, v.known
}

// sizes are those that the memories begin with.
func (c *contents) sizes() []uint64 {
	sizes := make([]uint64, len(c.memories))
	for k := range c.memories {
		sizes[k] = c.memories[k].size
	}
	return sizes
}

// images makes the images of the memories.
func (c *contents) images() (*images, error) {
	memories := make([][]weave.Segment, len(c.memories))
	for k := range c.memories {
		memories[k] = c.memories[k].segments
	}
	return newImages(memories)
}
