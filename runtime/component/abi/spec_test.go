package abi

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// specEnv is a list of directories, separated by colons: one is a checkout of the component model's repository, or in it.
const specEnv = "MAYFLY_COMPONENT_SPEC"

// definitions finds the directory of the specification's definitions.
func definitions() (string, bool) {
	for _, dir := range filepath.SplitList(os.Getenv(specEnv)) {
		for _, up := range []string{".", "..", "../.."} {
			d := filepath.Join(dir, up, "design", "mvp", "canonical-abi")
			if _, err := os.Stat(filepath.Join(d, "definitions.py")); err == nil {
				return d, true
			}
		}
	}
	return "", false
}

// TestSpecification asks the specification's own definitions, which are a program, what random values of random types become: their
// types, core values, memory, calls of realloc, handles and traps must be ours, byte for byte.
func TestSpecification(t *testing.T) {
	dir, ok := definitions()
	if !ok {
		t.Skipf("%s names no directory of a checkout of the component model's repository", specEnv)
	}
	cases, input := specCases(), &bytes.Buffer{}
	for _, c := range cases {
		line, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		input.Write(append(line, '\n'))
	}
	cmd := exec.Command("python3", "-B", filepath.Join("testdata", "spec.py"), dir)
	cmd.Stdin, cmd.Stderr = input, os.Stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(bytes.NewReader(output))
	answers.Buffer(nil, 1<<26)
	counts := map[string]int{}
	for i, c := range cases {
		if !answers.Scan() {
			t.Fatalf("%d answers to %d cases", i, len(cases))
		}
		got, err := json.Marshal(c.answer())
		if err != nil {
			t.Fatal(err)
		}
		if want := canonicalJSON(answers.Bytes()); !bytes.Equal(canonicalJSON(got), want) {
			line, _ := json.Marshal(c)
			t.Fatalf("case %d:\n%s\nours: %s\nspec: %s", i, line, canonicalJSON(got), want)
		}
		var a specAnswer
		if err := json.Unmarshal(got, &a); err != nil {
			t.Fatal(err)
		}
		counts[fmt.Sprintf("%s trap=%s", c.kind, a.Trap)]++
	}
	t.Log(len(cases), "cases agree:", counts)
}

func canonicalJSON(b []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return fmt.Appendf(nil, "%v: %q", err, b)
	}
	b, _ = json.Marshal(v)
	return b
}

// specCase is a call: values of a host or another component, the source, are passed to the target. Its fields are what testdata/spec.py
// reads.
type specCase struct {
	Types   []specType `json:"types"`
	Result  bool       `json:"result"`  // the first type is the result, too
	Address uint32     `json:"address"` // for the result, if it goes through memory
	Source  *specSide  `json:"source"`
	Values  []any      `json:"values"` // unless there is a source
	Target  *specSide  `json:"target"`

	kind   string
	ft     *FuncType
	values []Value
	rts    []*types.Resource
}

type specSide struct {
	Encoding string   `json:"encoding"`
	Memory   string   `json:"memory"`
	End      uint32   `json:"end"`
	Flat     []uint64 `json:"flat"`
	Handles  [][3]any `json:"handles"` // resource, representation, own
}

type specType struct {
	K  string      `json:"k"`
	Of []*specType `json:"of,omitempty"`
	N  int         `json:"n"`
}

type specAnswer struct {
	Lift    [2][]string `json:"lift"`
	Lower   [2][]string `json:"lower"`
	Layout  [][2]uint32 `json:"layout"`
	Trap    string      `json:"trap,omitempty"`
	Values  *[]any      `json:"values,omitempty"`
	Source  *[][5]int64 `json:"source,omitempty"`
	Flat    *[]uint64   `json:"flat,omitempty"`
	Memory  *string     `json:"memory,omitempty"`
	Calls   *[][4]int64 `json:"calls,omitempty"`
	Target  *[][5]int64 `json:"target,omitempty"`
	Borrows *uint32     `json:"borrows,omitempty"`
	Result  *specResult `json:"result,omitempty"`
}

type specResult struct {
	Trap   string      `json:"trap,omitempty"`
	Flat   []uint64    `json:"flat,omitempty"`
	Memory string      `json:"memory,omitempty"`
	Value  any         `json:"value,omitempty"`
	Table  *[][5]int64 `json:"table,omitempty"`
}

var encodingNames = []string{"utf8", "utf16", "latin1+utf16"}

func specCases() []*specCase {
	n := 4000
	if s := os.Getenv(specEnv + "_CASES"); s != "" {
		n, _ = strconv.Atoi(s) // for a long run
	}
	seed := uint64(1)
	if s := os.Getenv(specEnv + "_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	r := random{Rand: rand.New(rand.NewPCG(seed, 4))}
	cases := make([]*specCase, n)
	for i := range cases {
		cases[i] = newSpecCase(r, i%3)
	}
	return cases
}

func newSpecCase(r random, kind int) *specCase {
	rts := []*types.Resource{{Name: "mine", Owner: 1}, {Name: "others", Owner: 2}}
	if kind != 1 {
		r.resources = rts
	}
	if kind == 0 {
		r.source = func() source { return source(r.IntN(4)) }
	}
	ts := r.types(1+r.IntN(4), 1+r.IntN(4), 2)
	c := &specCase{rts: rts, Result: r.IntN(2) == 0 && !contains(ts[0], types.Borrow)}
	f := function(nil, ts...)
	if c.Result {
		f.Result = ts[0]
		c.Address = []uint32{2048, 2048, 2048, 2049, 4092, 4096, 0xfffffff8}[r.IntN(7)]
	}
	c.ft = mustFunc(f)
	for _, t := range ts {
		c.Types = append(c.Types, *c.typ(t))
		c.values = append(c.values, r.value(t))
	}
	c.Target = &specSide{Encoding: encodingNames[r.IntN(3)], Memory: hex.EncodeToString(make([]byte, []int{4096, 4096, 64}[r.IntN(3)])), End: 8}
	if kind == 0 {
		c.kind = "host's values"
		for i, t := range ts {
			c.Values = append(c.Values, toJSON(c.values[i], t))
		}
		return c
	}
	// What the source has in memory is what we lower there; that it is right is what the other cases are about.
	c.kind = "component's values"
	encoding := Encoding(r.IntN(3))
	g := newGuest(1, encoding, 1024)
	task := g.newTask(g.options(), g)
	c.Source = &specSide{Encoding: encodingNames[encoding]}
	if task.lowerParams(c.ft, c.values, task.stack[:]) != nil {
		clear(task.stack[:])
	}
	if kind == 2 {
		c.kind = "broken values"
		for range 1 + r.IntN(4) {
			if r.IntN(2) == 0 {
				task.stack[r.IntN(4)] ^= 1 << r.IntN(40)
			} else if g.end > 8 {
				g.memory[8+r.IntN(int(g.end)-8)] ^= 1 << r.IntN(8)
			}
		}
	}
	// i32 and f32 have no upper bits in the specification.
	params, _ := c.ft.FlattenLift()
	for i, p := range params {
		if p == CoreI32 || p == CoreF32 {
			task.stack[i] = uint64(uint32(task.stack[i]))
		}
	}
	for i := 1; i < len(g.handles.array); i++ {
		h := g.handles.array[i]
		c.Source.Handles = append(c.Source.Handles, [3]any{slices.Index(rts, h.rt), h.rep.Rep(), h.own || r.IntN(2) == 0})
	}
	c.Source.Flat, c.Source.Memory, c.Source.End = task.stack[:len(params)], hex.EncodeToString(g.memory), g.end
	return c
}

// answer is ours.
func (c *specCase) answer() *specAnswer {
	a := &specAnswer{}
	a.Lift[0], a.Lift[1] = coreNames(c.ft.FlattenLift())
	a.Lower[0], a.Lower[1] = coreNames(c.ft.FlattenLower())
	for _, f := range c.ft.params.fields {
		a.Layout = append(a.Layout, [2]uint32{f.size, f.align})
	}
	values := c.values
	if c.Source != nil {
		g := c.Source.guest(c.rts)
		s := g.newSubtask(c.ft, g.options(), g, c.Source.Flat)
		args, err := s.Start()
		if err != nil {
			a.Trap = "lift"
			return a
		}
		values = args
		a.Values = &[]any{}
		for i, f := range c.ft.params.fields {
			*a.Values = append(*a.Values, toJSON(args[i], f.typ))
		}
		a.Source = c.table(g)
	}
	g := c.Target.guest(c.rts)
	task := g.newTask(g.options(), g)
	err := task.lowerParams(c.ft, values, task.stack[:])
	a.Calls = &[][4]int64{}
	for _, call := range g.calls {
		*a.Calls = append(*a.Calls, [4]int64{int64(call[0]), int64(call[1]), int64(call[2]), int64(call[3])})
	}
	if err != nil {
		a.Trap = "lower"
		return a
	}
	params, _ := c.ft.FlattenLift()
	flat, memory := task.stack[:len(params)], hex.EncodeToString(g.memory)
	a.Flat, a.Memory, a.Target, a.Borrows = &flat, &memory, c.table(g), &task.numBorrows
	if c.Result {
		a.Result = c.answerResult(values[0])
	}
	return a
}

func (c *specCase) answerResult(v Value) *specResult {
	g := c.Target.guest(c.rts)
	s := g.newSubtask(c.ft, g.options(), g, nil)
	stack := make([]uint64, MaxFlatParams+1)
	if c.ft.resultInMemory() {
		stack[c.ft.coreParams()] = uint64(c.Address)
	}
	if s.lowerResult(c.ft, stack, v) != nil {
		return &specResult{Trap: "lower"}
	}
	if c.ft.resultInMemory() {
		stack[0] = uint64(c.Address)
	}
	a := &specResult{Memory: hex.EncodeToString(g.memory), Flat: stack[:1]}
	result, err := g.newTask(g.options(), g).liftResult(c.ft, stack)
	if err != nil {
		a.Trap = "lift"
		return a
	}
	a.Value, a.Table = toJSON(result, c.ft.result.typ), c.table(g)
	return a
}

func (s *specSide) guest(rts []*types.Resource) *guest {
	g := newGuest(1, Encoding(slices.Index(encodingNames, s.Encoding)), 0)
	g.memory, _ = hex.DecodeString(s.Memory)
	g.end = s.End
	for _, h := range s.Handles {
		_, _ = g.handles.add(ResourceHandle{rt: rts[h[0].(int)], rep: GuestResource(h[1].(uint32)), own: h[2].(bool)})
	}
	return g
}

func (c *specCase) table(g *guest) *[][5]int64 {
	out := [][5]int64{}
	for i, h := range g.handles.array {
		if h.rt != nil {
			out = append(out, [5]int64{int64(i), int64(slices.Index(c.rts, h.rt)), int64(h.rep.Rep()), int64(Bool(h.own).bits), int64(h.numLends)})
		}
	}
	return &out
}

func coreNames(params, results []byte) (p, r []string) {
	names := map[byte]string{CoreI32: "i32", CoreI64: "i64", CoreF32: "f32", CoreF64: "f64"}
	p, r = []string{}, []string{}
	for _, b := range params {
		p = append(p, names[b])
	}
	for _, b := range results {
		r = append(r, names[b])
	}
	return p, r
}

func (c *specCase) typ(t *types.Type) *specType {
	if t == nil {
		return nil
	}
	s := &specType{K: t.Kind.String()}
	switch t.Kind {
	case types.List:
		s.Of, s.N = []*specType{c.typ(t.Elem)}, int(t.Length)
	case types.Option:
		s.Of = []*specType{c.typ(t.Elem)}
	case types.Result:
		s.Of = []*specType{c.typ(t.OK), c.typ(t.Err)}
	case types.Record, types.Tuple:
		for _, f := range t.Fields {
			s.Of = append(s.Of, c.typ(f.Type))
		}
	case types.Variant:
		for _, f := range t.Cases {
			s.Of = append(s.Of, c.typ(f.Type))
		}
	case types.Enum, types.Flags:
		s.N = len(t.Labels)
	case types.Own, types.Borrow:
		s.N = slices.Index(c.rts, t.Resource)
	}
	return s
}

func contains(t *types.Type, k types.Kind) bool {
	if t == nil {
		return false
	}
	for _, f := range slices.Concat(t.Fields, t.Cases) {
		if contains(f.Type, k) {
			return true
		}
	}
	return t.Kind == k || contains(t.Elem, k) || contains(t.OK, k) || contains(t.Err, k)
}

// toJSON writes a value as testdata/spec.py does.
func toJSON(v Value, t *types.Type) any {
	switch t.Kind {
	case types.S8, types.S16, types.S32, types.S64:
		return v.S64()
	case types.String:
		s := v.String()
		switch v.source() {
		case sourceUTF8:
			return []any{s, "utf8", len(s)}
		case sourceUTF16:
			return []any{s, "utf16", utf16Units(s)}
		case sourceLatin1:
			return []any{s, "latin1+utf16", utf8.RuneCountInString(s)}
		default:
			return []any{s, "latin1+utf16", utf16Units(s) | utf16Tag}
		}
	case types.List:
		out := []any{}
		if t.Length == 0 && t.Elem.Kind == types.U8 {
			for _, b := range v.Bytes() {
				out = append(out, b)
			}
			return out
		}
		for _, e := range v.List() {
			out = append(out, toJSON(e, t.Elem))
		}
		return out
	case types.Record, types.Tuple:
		out := []any{}
		for i, f := range t.Fields {
			out = append(out, toJSON(v.Field(i), f.Type))
		}
		return out
	case types.Variant:
		return []any{v.Case(), payloadJSON(v, t.Cases[v.Case()].Type)}
	case types.Option:
		return []any{v.Case(), payloadJSON(v, []*types.Type{nil, t.Elem}[v.Case()])}
	case types.Result:
		return []any{v.Case(), payloadJSON(v, []*types.Type{t.OK, t.Err}[v.Case()])}
	case types.Enum:
		return []any{v.Case(), nil}
	default:
		return v.bits
	}
}

func payloadJSON(v Value, t *types.Type) any {
	if t == nil {
		return nil
	}
	return toJSON(v.Payload(), t)
}
