package abi

import (
	"fmt"
	"slices"
	"testing"
	"unicode/utf16"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// encoded is a string as it is in memory.
func encoded(s string, e Encoding) (m []byte, tagged uint32) {
	wide := e == UTF16
	if e == Latin1UTF16 {
		for _, r := range s {
			wide = wide || r > 0xff
		}
	}
	switch {
	case e == UTF8:
		return []byte(s), uint32(len(s))
	case wide:
		units := utf16.Encode([]rune(s))
		for _, u := range units {
			m = append(m, byte(u), byte(u>>8))
		}
		tagged = uint32(len(units))
		if e == Latin1UTF16 {
			tagged |= utf16Tag
		}
		return m, tagged
	default:
		for _, r := range s {
			m = append(m, byte(r))
		}
		return m, uint32(len(m))
	}
}

func TestStringsBetweenEncodings(t *testing.T) {
	for _, from := range []Encoding{UTF8, UTF16, Latin1UTF16} {
		for _, to := range []Encoding{UTF8, UTF16, Latin1UTF16} {
			for _, s := range texts {
				t.Run(fmt.Sprintf("%q from %s to %s", s, encodingNames[from], encodingNames[to]), func(t *testing.T) {
					source, target := newGuest(1, from, 256), newGuest(2, to, 1024)
					m, tagged := encoded(s, from)
					copy(source.memory[16:], m)
					ft := mustFunc(function(nil, prim(types.String)))
					stack := []uint64{16, uint64(tagged)}
					err := CanonLower(ft, source.options(), source, &source.ComponentInstance, funcInst(func(c Caller) error {
						return CanonLift(ft, target.options(), target, &target.ComponentInstance, coreFunc(func(stack []uint64) error {
							want, tagged := encoded(s, to)
							ptr := uint32(stack[0])
							if got := target.memory[ptr : int(ptr)+len(want)]; !slices.Equal(got, want) || uint32(stack[1]) != tagged {
								t.Errorf("% x, length 0x%x; want % x, length 0x%x", got, stack[1], want, tagged)
							}
							return nil
						}), nil, c)
					}), stack)
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// What a guest's realloc is asked for shows in which order memory is taken, grown and shrunk.
func TestReallocForStrings(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     string
		from  source
		to    Encoding
		calls [][4]uint32
	}{
		{"utf8 to utf8", "é", sourceUTF8, UTF8, [][4]uint32{{0, 0, 1, 2}}},
		{"nothing", "", sourceUTF8, UTF8, [][4]uint32{{0, 0, 1, 0}}},
		{"utf8 to utf16, ascii", "ab", sourceUTF8, UTF16, [][4]uint32{{0, 0, 2, 4}}},
		{"utf8 to utf16, shrunk", "é", sourceUTF8, UTF16, [][4]uint32{{0, 0, 2, 4}, {8, 4, 2, 2}}},
		{"utf8 to latin1", "ab", sourceUTF8, Latin1UTF16, [][4]uint32{{0, 0, 2, 2}}},
		{"utf8 to latin1, shrunk", "aé", sourceUTF8, Latin1UTF16, [][4]uint32{{0, 0, 2, 3}, {8, 3, 2, 2}}},
		{"utf8 to utf16 instead of latin1", "aé日", sourceUTF8, Latin1UTF16, [][4]uint32{{0, 0, 2, 6}, {8, 6, 2, 12}, {14, 12, 2, 6}}},
		{"utf16 to utf8, ascii", "ab", sourceUTF16, UTF8, [][4]uint32{{0, 0, 1, 2}}},
		{"utf16 to utf8", "a日", sourceUTF16, UTF8, [][4]uint32{{0, 0, 1, 2}, {8, 2, 1, 6}, {10, 6, 1, 4}}},
		{"utf16 to utf8, the worst case", "日", sourceUTF16, UTF8, [][4]uint32{{0, 0, 1, 1}, {8, 1, 1, 3}}},
		{"latin1 to utf8", "aé", sourceLatin1, UTF8, [][4]uint32{{0, 0, 1, 2}, {8, 2, 1, 4}, {10, 4, 1, 3}}},
		{"latin1 to utf16", "aé", sourceLatin1, UTF16, [][4]uint32{{0, 0, 2, 4}}},
		{"latin1 to latin1", "aé", sourceLatin1, Latin1UTF16, [][4]uint32{{0, 0, 2, 2}}},
		{"utf16 that could be latin1", "aé", sourceTaggedUTF16, Latin1UTF16, [][4]uint32{{0, 0, 2, 4}, {8, 4, 1, 2}}},
		{"utf16 that is not latin1", "aé日", sourceTaggedUTF16, Latin1UTF16, [][4]uint32{{0, 0, 2, 6}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(1, c.to, 256)
			v, err := g.lift(function(prim(types.String), prim(types.String)), func(stack []uint64) error {
				storeInt(g.memory[128:], stack[0], 4)
				storeInt(g.memory[132:], stack[1], 4)
				stack[0] = 128
				return nil
			}, stringFrom(c.s, c.from))
			if err != nil || v.String() != c.s {
				t.Errorf("%q, %v", v.String(), err)
			}
			if !slices.Equal(g.calls, c.calls) {
				t.Errorf("calls %v, want %v", g.calls, c.calls)
			}
		})
	}
}

func TestStringsThatTrap(t *testing.T) {
	for _, c := range []struct {
		name     string
		encoding Encoding
		memory   string // at 16
		ptr, len uint64
		want     string
	}{
		{"not utf-8", UTF8, "a\xff", 16, 2, "invalid utf-8"},
		{"half a character", UTF8, "a\xe6\x97", 16, 3, "invalid utf-8"},
		{"a surrogate in utf-8", UTF8, "\xed\xa0\x80", 16, 3, "invalid utf-8"},
		{"an overlong encoding", UTF8, "\xc0\x80", 16, 2, "invalid utf-8"},
		{"a high surrogate alone", UTF16, "\x00\xd8", 16, 1, "invalid utf-16"},
		{"a low surrogate first", UTF16, "\x00\xdc\x00\xd8", 16, 2, "invalid utf-16"},
		{"two high surrogates", UTF16, "\x00\xd8\x00\xd8", 16, 2, "invalid utf-16"},
		{"a surrogate in tagged utf-16", Latin1UTF16, "\x00\xd8", 16, utf16Tag | 1, "invalid utf-16"},
		{"unaligned utf-16", UTF16, "", 17, 1, "string: unaligned pointer 0x11"},
		{"unaligned latin1", Latin1UTF16, "", 17, 1, "string: unaligned pointer 0x11"},
		{"beyond memory", UTF8, "", 16, 241, "string content out-of-bounds: 0x10 + 241 bytes, and memory has 256"},
		{"nothing, beyond memory", UTF8, "", 257, 0, "string content out-of-bounds"},
		{"at the end of the address space", UTF8, "", 0xffffffff, 0xfffffff, "string content out-of-bounds"},
		{"utf-16 of half the memory", UTF16, "", 16, 121, "string content out-of-bounds"},
		{"the longest length", UTF8, "", 0, 0xffffffff, "too long"},
		{"the longest tagged length", Latin1UTF16, "", 0, 0xffffffff, "too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(1, c.encoding, 256)
			copy(g.memory[16:], c.memory)
			_, err := g.lower(function(nil, prim(types.String)), taker(func(Value) {}), c.ptr, c.len)
			wantTrap(t, err, c.want)
		})
	}
}

func TestStringOfTheHostThatIsNotUTF8(t *testing.T) {
	g := newGuest(1, UTF8, 256)
	if _, err := g.lower(function(prim(types.String)), func([]Value) (Value, error) { return String("a\xff\xfeb"), nil }, 128); err != nil {
		t.Fatal(err)
	}
	if s := g.loadAt(t, prim(types.String), 128).String(); s != "a\ufffdb" {
		t.Errorf("%q", s)
	}
}
