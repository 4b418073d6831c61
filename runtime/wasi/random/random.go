// Package random is the host of wasi:random.
//
// What is called insecure there is no less random here: nothing that a guest draws tells anything of what another will.
package random

import (
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

//go:embed random.wit
var declarations string

const (
	// maxBytes bounds one call. It is memory of the host's until the guest has a copy.
	maxBytes = 16 << 20
	// chunk is how much is drawn before the guest can be stopped.
	chunk = 64 << 10
)

// Guest is what one instance keeps of what it drew: its seed, which is the same however often it asks.
type Guest struct {
	seed   [2]uint64
	seeded bool
}

// State is what an instance's state must have for its component to import wasi:random.
type State interface{ Random() *Guest }

// Package is wasi:random. The state of instances must be a [State]. Guests draw from source, which is crypto/rand.Reader but in tests.
func Package(source io.Reader) component.Package {
	g := &generator{source}
	return component.Package{
		WIT: declarations,
		Interfaces: map[string]component.Interface{
			"random": {Funcs: map[string]component.HostFunc{
				"get-random-bytes": g.list,
				"get-random-u64":   g.number,
			}},
			"insecure": {Funcs: map[string]component.HostFunc{
				"get-insecure-random-bytes": g.list,
				"get-insecure-random-u64":   g.number,
			}},
			"insecure-seed": {Funcs: map[string]component.HostFunc{
				"insecure-seed": g.seed,
			}},
		},
	}
}

type generator struct{ source io.Reader }

func (g *generator) bytes(ctx context.Context, n uint64) ([]byte, error) {
	if n > maxBytes {
		return nil, &abi.Trap{Reason: fmt.Sprintf("%d random bytes at once; at most %d are possible", n, maxBytes)}
	}
	b := make([]byte, n)
	for rest := b; len(rest) > 0; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := rest[:min(len(rest), chunk)]
		if _, err := io.ReadFull(g.source, part); err != nil {
			return nil, fmt.Errorf("draw random bytes: %w", err)
		}
		rest = rest[len(part):]
	}
	return b, nil
}

func (g *generator) u64() (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(g.source, b[:]); err != nil {
		return 0, fmt.Errorf("draw a random number: %w", err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

// list is wasi:random/random.get-random-bytes, and wasi:random/insecure.get-insecure-random-bytes.
func (g *generator) list(c *component.Call, args []component.Value) (component.Value, error) {
	b, err := g.bytes(c.Context(), args[0].U64())
	return abi.Bytes(b), err
}

// number is wasi:random/random.get-random-u64, and wasi:random/insecure.get-insecure-random-u64.
func (g *generator) number(*component.Call, []component.Value) (component.Value, error) {
	n, err := g.u64()
	return abi.U64(n), err
}

// seed is wasi:random/insecure-seed.insecure-seed.
func (g *generator) seed(c *component.Call, _ []component.Value) (component.Value, error) {
	return g.seedOf(c.State().(State).Random())
}

func (g *generator) seedOf(guest *Guest) (component.Value, error) {
	if !guest.seeded {
		for i := range guest.seed {
			n, err := g.u64()
			if err != nil {
				return component.Value{}, err
			}
			guest.seed[i] = n
		}
		guest.seeded = true
	}
	return abi.Tuple(abi.U64(guest.seed[0]), abi.U64(guest.seed[1])), nil
}
