package wasmgen

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
)

// random makes decisions: by the bytes of the seed, so that a fuzzer that changes one of them changes little else, and when they are used
// up by a generator that begins with all of them.
type random struct {
	seed []byte
	rest *rand.Rand
}

func newRandom(seed []byte) *random {
	h := fnv.New64a()
	_, _ = h.Write(seed) // does not fail
	return &random{seed: seed, rest: rand.New(rand.NewPCG(h.Sum64(), uint64(len(seed))))}
}

// below returns a number from 0 to n-1.
func (r *random) below(n int) int {
	if len(r.seed) == 0 {
		return r.rest.IntN(n)
	}
	var b [4]byte
	size := 1
	if n > 1<<8 {
		size = len(b)
	}
	r.seed = r.seed[copy(b[:size], r.seed):]
	return int(uint64(binary.LittleEndian.Uint32(b[:])) % uint64(n))
}

// between returns a number from low to high.
func (r *random) between(low, high int) int { return low + r.below(high-low+1) }

// oneIn is true once in n times.
func (r *random) oneIn(n int) bool { return r.below(n) == 0 }

// bits returns any number, most often one at which something happens.
func (r *random) bits() uint64 {
	switch r.below(4) {
	case 0:
		return uint64(r.below(256))
	case 1:
		edges := [...]uint64{0, 1, 0x7f, 0x80, 0xff, 0xffff, 1 << 16, 0x7fffffff, 1 << 31, 0xffffffff, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1}
		return edges[r.below(len(edges))]
	}
	return uint64(r.below(1<<31))<<33 ^ uint64(r.below(1<<31))<<11 ^ uint64(r.below(1<<20))
}

func pick[T any](r *random, of []T) T { return of[r.below(len(of))] }
