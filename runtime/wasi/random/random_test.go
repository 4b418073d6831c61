package random

import (
	"bytes"
	"context"
	"errors"
	"math"
	"testing"
	"testing/iotest"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// counting is a source that counts.
type counting struct{ n byte }

func (c *counting) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = c.n
		c.n++
	}
	return len(b), nil
}

func TestBytes(t *testing.T) {
	g := &generator{&counting{}}
	t.Run("are as many as asked for", func(t *testing.T) {
		for _, n := range []uint64{0, 1, chunk, chunk + 1, 3*chunk - 1} {
			g := &generator{&counting{}}
			want := make([]byte, n)
			_, _ = (&counting{}).Read(want)
			if b, err := g.bytes(t.Context(), n); !bytes.Equal(b, want) || err != nil {
				t.Errorf("%d: got %d, %v", n, len(b), err)
			}
		}
	})
	t.Run("too many trap", func(t *testing.T) {
		for _, n := range []uint64{maxBytes + 1, math.MaxUint64} {
			var trap *abi.Trap
			if _, err := g.bytes(t.Context(), n); !errors.As(err, &trap) {
				t.Errorf("%d: %v", n, err)
			}
		}
	})
	t.Run("end when the guest must stop", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.bytes(ctx, maxBytes); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("of a source that fails are an error", func(t *testing.T) {
		broken := errors.New("broken")
		g := &generator{iotest.ErrReader(broken)}
		_, err := g.bytes(t.Context(), 1)
		_, err2 := g.u64()
		_, err3 := g.seedOf(&Guest{})
		if !errors.Is(err, broken) || !errors.Is(err2, broken) || !errors.Is(err3, broken) {
			t.Errorf("got %v, %v, %v", err, err2, err3)
		}
	})
}

func TestNumbers(t *testing.T) {
	p := Package(&counting{})
	for _, f := range []struct{ name, function string }{{"random", "get-random-u64"}, {"insecure", "get-insecure-random-u64"}} {
		if v, err := p.Interfaces[f.name].Funcs[f.function](nil, nil); v.U64()&0xffff == 0 || err != nil {
			t.Errorf("%s: %x, %v", f.function, v.U64(), err)
		}
	}
}

func TestTheSeedOfAGuestStaysTheSame(t *testing.T) {
	g := &generator{&counting{}}
	seed := func(guest *Guest) [2]uint64 {
		v, err := g.seedOf(guest)
		if err != nil {
			t.Fatal(err)
		}
		return [2]uint64{v.Field(0).U64(), v.Field(1).U64()}
	}
	var a, b Guest
	first := seed(&a)
	if first[0] == first[1] || seed(&a) != first {
		t.Errorf("it was %v, and is %v", first, seed(&a))
	}
	if seed(&b) == first {
		t.Error("another guest has the same")
	}
}
