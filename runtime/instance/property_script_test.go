package instance

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/mayfly-run/mayfly/internal/wasmgen"
)

// world is a way of running a group of random modules. All of them must do the same.
type world interface {
	// begin makes a fresh instance. The words that tell why it cannot be made are those of a trap, where it was one.
	begin(h *randomHost) (fresh, string)
}

// fresh is an instance of the group.
type fresh interface {
	// call returns the results, or how the call ended when it did not end well. stack has the parameters, and room.
	call(ctx context.Context, part int, e *wasmgen.Export, stack []uint64) string
	// memory returns what a part calls its memory.
	memory(part int) []byte
	end()
}

// script is what is done with one instance: some calls, in this order. Before and after them all that can be seen of it is written down.
type script []scriptCall

type scriptCall struct {
	part   int
	export *wasmgen.Export
	params []uint64
}

// newScript chooses calls; dirty is one that overwrites all that there is.
func newScript(r *rand.Rand, g *wasmgen.Group) (s script, dirty scriptCall) {
	var runs []scriptCall
	for k := range g.Modules {
		for j := range g.Modules[k].Exports {
			e := &g.Modules[k].Exports[j]
			switch {
			case e.Kind != wasmgen.Function:
			case e.Role == wasmgen.Run:
				runs = append(runs, scriptCall{part: k, export: e})
			case e.Role == wasmgen.Dirty && (dirty.export == nil || r.IntN(2) == 0):
				dirty = scriptCall{part: k, export: e, params: []uint64{uint64(r.Uint32() | 1)}}
			}
		}
	}
	if len(runs) == 0 {
		return s, dirty
	}
	for range 1 + r.IntN(12) {
		c := runs[r.IntN(len(runs))]
		c.params = randomParams(r, c.export.Type.Params)
		s = append(s, c)
	}
	return s, dirty
}

func randomParams(r *rand.Rand, types []byte) (params []uint64) {
	for _, t := range types {
		switch t {
		case wasmgen.F32:
			params = append(params, uint64(math.Float32bits(float32(r.IntN(1000))/4)))
		case wasmgen.F64:
			params = append(params, math.Float64bits(float64(r.IntN(1000))/4))
		case wasmgen.V128:
			params = append(params, r.Uint64(), r.Uint64())
		case wasmgen.I32:
			params = append(params, uint64(uint32(r.IntN(1<<(r.IntN(32)))-1)))
		default:
			params = append(params, r.Uint64()>>r.IntN(64))
		}
	}
	return params
}

// play plays a script and returns what was seen.
func (s script) play(w world, g *wasmgen.Group) []string {
	h := &randomHost{}
	i, failed := w.begin(h)
	if failed != "" {
		return []string{"it cannot be made: " + failed}
	}
	defer i.end()
	seen := []string{"fresh: " + look(i, g)}
	for _, c := range s {
		seen = append(seen, fmt.Sprintf("part %d %s%v: %s", c.part, c.export.Name, c.params, perform(context.Background(), i, c)))
	}
	return append(seen, "then: "+look(i, g), fmt.Sprintf("the host was called %d times: %x", h.calls, h.sum))
}

func perform(ctx context.Context, i fresh, c scriptCall) string {
	stack := make([]uint64, 64)
	copy(stack, c.params)
	return i.call(ctx, c.part, c.export, stack)
}

// look returns all that can be seen of an instance: its memories, globals and tables.
func look(i fresh, g *wasmgen.Group) string {
	var all strings.Builder
	for k := range g.Modules {
		m := &g.Modules[k]
		if m.HasMemory {
			fmt.Fprintf(&all, "part %d memory: %s; ", k, checksum(i.memory(k)))
		}
		for j := range m.Exports {
			e := &m.Exports[j]
			if e.Kind != wasmgen.Function || e.Role != wasmgen.Observe {
				continue
			}
			if len(e.Type.Params) == 0 {
				fmt.Fprintf(&all, "part %d %s: %s; ", k, e.Name, perform(context.Background(), i, scriptCall{part: k, export: e}))
				continue
			}
			for n := range uint64(12) {
				fmt.Fprintf(&all, "part %d %s(%d): %s; ", k, e.Name, n, perform(context.Background(), i, scriptCall{part: k, export: e, params: []uint64{n}}))
			}
		}
	}
	return all.String()
}

func checksum(memory []byte) string {
	return fmt.Sprintf("%d bytes %x", len(memory), sha256.Sum256(memory))
}

// results writes the results of a function.
func results(types []byte, stack []uint64) string {
	var b strings.Builder
	for _, t := range types {
		switch t {
		case wasmgen.I32, wasmgen.F32:
			fmt.Fprintf(&b, " %x", uint32(stack[0]))
		case wasmgen.V128:
			fmt.Fprintf(&b, " %x", stack[0])
			stack = stack[1:]
			fallthrough
		default:
			fmt.Fprintf(&b, " %x", stack[0])
		}
		stack = stack[1:]
	}
	return b.String()
}

// randomHost is the host of one instance. What its functions answer depends on nothing but their parameters and what was called before.
type randomHost struct {
	calls int
	sum   uint64
}

var errRandomHost = errors.New("the host says no")

func (h *randomHost) call(number int, t wasmgen.Type, stack []uint64) error {
	h.calls++
	sum := fnv.New64a()
	fmt.Fprint(sum, number, h.calls, h.sum, results(t.Params, stack))
	h.sum = sum.Sum64()
	for k, r := range t.Results {
		v := h.sum >> k
		switch r {
		case wasmgen.I32:
			v = uint64(uint32(v))
		case wasmgen.F32:
			v = uint64(math.Float32bits(float32(int16(v))))
		case wasmgen.F64:
			v = math.Float64bits(float64(int32(v)))
		}
		stack[k] = v
	}
	if h.sum%41 == 0 {
		return errRandomHost
	}
	return nil
}

type randomHostKey struct{}
