package instance

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// randomSegments are what data segments may write to a memory of size bytes, and what it begins with then.
func randomSegments(r *rand.Rand, size uint64) (segments []weave.Segment, content []byte) {
	content = make([]byte, size)
	for range r.IntN(20) {
		at := r.Uint64N(size)
		b := make([]byte, min(r.Uint64N(3*pageSize), size-at))
		if r.IntN(3) > 0 {
			for i := range b {
				b[i] = byte(r.Uint32())
			}
		}
		segments = append(segments, weave.Segment{At: at, Bytes: b})
		copy(content[at:], b)
	}
	return segments, content
}

// stocks are all ways to have memories.
var stocks = map[string]func(t *testing.T, r *Runtime, memories ...[]weave.Segment) *stock{
	"images in a file": func(t *testing.T, r *Runtime, memories ...[]weave.Segment) *stock {
		i, err := newImages(memories)
		if err != nil {
			t.Fatal(err)
		}
		if i.file == nil && i.all[0].content != nil {
			t.Fatal("no file")
		}
		return r.newStock(i)
	},
	"images on the heap": func(t *testing.T, r *Runtime, memories ...[]weave.Segment) *stock {
		sizes, total := imageSizes(memories)
		return r.newStock(heapImages(memories, sizes, total))
	},
	"without an account of what was written to": func(t *testing.T, r *Runtime, memories ...[]weave.Segment) *stock {
		i, err := newImages(memories)
		if err != nil {
			t.Fatal(err)
		}
		r.pagemap.close()
		r.pagemap.file = nil
		return r.newStock(i)
	},
}

// Whatever a guest writes, the next finds what the image says.
func TestASlotIsAsItWasWhateverWasWrittenToIt(t *testing.T) {
	for how, newStock := range stocks {
		t.Run(how, func(t *testing.T) {
			for seed := range uint64(8) {
				r := rand.New(rand.NewPCG(seed, 0))
				runtime := newTestRuntime(t, Limits{Memory: 8 << 20})
				initial := (1 + r.Uint64N(40)) * pageSize
				segments, content := randomSegments(r, initial)
				p := &newStock(t, runtime, segments).pools[0]
				habit := randomRanges(r, initial) // what guests nearly always write to
				for round := range 60 {
					s, err := p.get()
					if err != nil {
						t.Fatal(err)
					}
					used := initial + r.Uint64N(3)*pageSize*r.Uint64N(20)
					memory := s.bytes(used)
					if i := firstDifference(memory, content); i >= 0 {
						t.Fatalf("seed %d, round %d: byte %#x is %#02x", seed, round, i, memory[i])
					}
					writes := habit
					if r.IntN(4) == 0 {
						writes = append(randomRanges(r, used), habit...)
					}
					for _, w := range writes {
						for i := w[0]; i < w[1]; i += 1 + r.Uint64N(64) {
							memory[i] = byte(r.Uint32())
						}
					}
					p.put(s, used, r.IntN(8) > 0)
				}
			}
		})
	}
}

func randomRanges(r *rand.Rand, size uint64) (ranges [][2]uint64) {
	for range r.IntN(30) {
		from := r.Uint64N(size)
		ranges = append(ranges, [2]uint64{from, min(from+r.Uint64N(20<<10), size)})
	}
	return ranges
}

// firstDifference tells where a memory is not what it begins with, which is zero beyond content; -1: nowhere.
func firstDifference(memory, content []byte) int {
	n := min(len(memory), len(content))
	if bytes.Equal(memory[:n], content[:n]) && bytes.Count(memory[n:], []byte{0}) == len(memory)-n {
		return -1
	}
	for i, b := range memory {
		if i < len(content) && b != content[i] || i >= len(content) && b != 0 {
			return i
		}
	}
	return -1
}

func TestWhatIdleSlotsHaveIsCounted(t *testing.T) {
	r := newTestRuntime(t, Limits{Memory: 8 << 20})
	segments := []weave.Segment{{At: 0, Bytes: bytes.Repeat([]byte("x"), 3*pageSize)}}
	s := stocks["images in a file"](t, r, segments)
	p := &s.pools[0]
	page := uint64(os.Getpagesize())
	for range 2 * samples {
		m, err := p.get()
		if err != nil {
			t.Fatal(err)
		}
		b := m.bytes(4 * pageSize)
		for _, at := range []uint64{0, 2 * page, 3*pageSize + 1} {
			b[at]++
		}
		p.put(m, 4*pageSize, true)
	}
	if kept := r.kept.Load(); kept != 3*page || r.budget.used.Load() != kept {
		t.Errorf("%d bytes are kept, and %d of the budget are used", kept, r.budget.used.Load())
	}
	m, err := p.get()
	if err != nil {
		t.Fatal(err)
	}
	if n := r.kept.Load(); n != 0 {
		t.Errorf("%d bytes of the slot that is in use are counted as kept", n)
	}
	scan := r.pagemap.scan(m.bytes(8 << 20))
	if len(scan.written) != 3 {
		t.Errorf("pages %v are the slot's own", scan.written)
	}
	scan.give()
	m.bytes(4 * pageSize)[pageSize] = 1 // a page that others do not write to is not kept
	p.put(m, 4*pageSize, true)
	if kept := r.kept.Load(); kept != 3*page {
		t.Errorf("%d bytes are kept", kept)
	}
	r.budget.limit.Store(r.budget.fixed.Load() + 4*page)
	if !r.budget.take(2 * page) {
		t.Error("what idle slots have does not give way")
	}
	r.budget.give(2 * page)
	r.budget.limit.Store(0)
	if kept := r.kept.Load(); kept != 0 {
		t.Errorf("%d bytes are kept still", kept)
	}
}

func TestSlotsAndImagesLeaveNothingBehind(t *testing.T) {
	r := newTestRuntime(t, Limits{Memory: 1 << 20})
	image := []weave.Segment{{At: 5, Bytes: []byte("image")}}
	before := mappings(t)
	s := stocks["images in a file"](t, r, image, nil, image)
	var all []slot
	for range 10 {
		for k := range s.pools {
			m, err := s.pools[k].get()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
	}
	if n := mappings(t); n != before+21 { // each slot has the image mapped, and the images are mapped once
		t.Errorf("%d mappings of images, before %d", n, before)
	}
	for n, m := range all[:20] {
		s.pools[n%3].put(m, pageSize, true)
	}
	s.close()
	if n := mappings(t); n == before {
		t.Error("slots that are in use have lost their image")
	}
	for n, m := range all[20:] {
		if b := m.bytes(pageSize); (20+n)%3 != 1 && string(b[5:10]) != "image" {
			t.Errorf("slot %d is not what it was", n)
		}
		s.pools[(20+n)%3].put(m, pageSize, true)
	}
	s.close()
	if n := r.budget.fixed.Load(); n != 0 {
		t.Errorf("%d bytes of images are counted", n)
	}
	if n := mappings(t); n != before {
		t.Errorf("%d mappings of images are left, before %d", n, before)
	}
	if kept := r.kept.Load(); kept != 0 {
		t.Errorf("%d bytes are kept", kept)
	}
}

// mappings is how many mappings of images the process has.
func mappings(t *testing.T) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(maps), "mayfly-image")
}

func TestNobodyChangesAnImage(t *testing.T) {
	i, err := newImages([][]weave.Segment{{{At: 0, Bytes: []byte("image")}}})
	if err != nil {
		t.Fatal(err)
	}
	defer i.close()
	if _, err := i.file.WriteAt([]byte("x"), 0); err == nil {
		t.Error("it can be written to")
	}
	if err := i.file.Truncate(0); err == nil {
		t.Error("it can be cut off")
	}
}

func TestZeroesTakeNoRoomInAnImage(t *testing.T) {
	zeroes := make([]byte, 64*pageSize)
	i, err := newImages([][]weave.Segment{{{At: 0, Bytes: zeroes}, {At: 10, Bytes: []byte("x")}, {At: uint64(len(zeroes)) - 1, Bytes: []byte("y")}}})
	if err != nil {
		t.Fatal(err)
	}
	defer i.close()
	if i.own > 4<<10*2 {
		t.Errorf("%d bytes", i.own)
	}
}

func TestSlotsAreLentToManyAtOnce(t *testing.T) {
	r := newTestRuntime(t, Limits{Memory: 1 << 20})
	p := &stocks["images in a file"](t, r, []weave.Segment{{At: 100, Bytes: []byte("image")}}).pools[0]
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			for round := range 100 {
				s, err := p.get()
				if err != nil {
					t.Error(err)
					return
				}
				b := s.bytes(2 * pageSize)
				if string(b[100:105]) != "image" || b[pageSize+n] != 0 {
					t.Errorf("%q, %d", b[100:105], b[pageSize+n])
				}
				copy(b[100:], "other")
				b[pageSize+n] = byte(round)
				p.put(s, 2*pageSize, true)
				if n == 0 && round%10 == 0 {
					r.Trim()
				}
			}
		})
	}
	wait.Wait()
}

// TestAnAccountThatIsWrongIsNotUsed takes files that say nothing of memory, as a system may have that only looks like Linux.
func TestAnAccountThatIsWrongIsNotUsed(t *testing.T) {
	if r := newTestRuntime(t, Limits{}); r.pagemap.file == nil {
		t.Error("the kernel's own is not used")
	}
	for _, name := range []string{"/dev/zero", "/dev/null"} {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if (pagemap{file: file, page: uint64(os.Getpagesize())}).proven() {
			t.Errorf("%s is taken for an account", name)
		}
	}
}
