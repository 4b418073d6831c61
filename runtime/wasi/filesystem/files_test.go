package filesystem

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
	"github.com/mayfly-run/mayfly/runtime/wasi/clocks"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

func TestReadAndWrite(t *testing.T) {
	g := newGuest(t, false)
	d := g.mustOpen("a.txt", "rw")
	for _, c := range []struct {
		length, offset uint64
		want           string
		end            bool
	}{
		{100, 0, "content a", false}, {3, 2, "nte", false}, {1 << 63, 8, "a", false}, {100, 9, "", true}, {100, 1000, "", true},
		{0, 0, "", false},
	} {
		v := g.do("read", d, num(c.length), num(c.offset))
		if got, end := string(v.Field(0).Bytes()), v.Field(1).Bool(); got != c.want || end != c.end {
			t.Errorf("read %d at %d: %q, %v", c.length, c.offset, got, end)
		}
	}
	if n := g.do("write", d, abi.Bytes([]byte("CON")), num(0)).U64(); n != 3 {
		t.Errorf("written: %d", n)
	}
	g.do("write", d, abi.Bytes([]byte("far")), num(12))
	if got := g.content("a.txt"); got != "CONtent a\x00\x00\x00far" {
		t.Errorf("content: %q", got)
	}
	g.do("set-size", d, num(4))
	g.do("set-size", d, num(6))
	if got := g.content("a.txt"); got != "CONt\x00\x00" {
		t.Errorf("content: %q", got)
	}
	g.do("sync", d)
	g.do("sync-data", d)
	g.do("sync", g.root)
	g.do("sync-data", g.root)
	for _, a := range []guestfs.Advice{guestfs.Normal, guestfs.Sequential, guestfs.Random, guestfs.WillNeed, guestfs.DontNeed, guestfs.NoReuse} {
		g.do("advise", d, num(0), num(100), abi.Enum(int(a)))
	}
	for what, args := range map[string][]component.Value{
		"read":             {num(1), num(1 << 63)},
		"write":            {abi.Bytes([]byte("x")), num(1 << 63)},
		"set-size":         {num(1 << 63)},
		"read-via-stream":  {num(1 << 63)},
		"write-via-stream": {num(1 << 63)},
		"advise":           {num(1 << 63), num(0), abi.Enum(0)},
	} {
		if _, got := g.try(what, append([]component.Value{d}, args...)...); got != "invalid" {
			t.Errorf("%s too far: %s", what, got)
		}
	}
	if _, got := g.try("set-size", d, num(1<<62)); got != "file-too-large" {
		t.Errorf("set-size too large: %s", got)
	}
}

func TestAReadIsBounded(t *testing.T) {
	g := newGuest(t, false)
	if err := os.WriteFile(filepath.Join(g.host, "large"), make([]byte, 3*maxRead), 0o600); err != nil {
		t.Fatal(err)
	}
	d := g.mustOpen("large", "r")
	if v := g.do("read", d, num(1<<63), num(0)); len(v.Field(0).Bytes()) != maxRead {
		t.Errorf("read: %d bytes", len(v.Field(0).Bytes()))
	}
	total := 0
	s := &reader{handle: d.Resource().(*descriptor).handle}
	for {
		b, err := s.Read(1 << 40)
		total += len(b)
		if err == io.EOF {
			break
		}
		if err != nil || len(b) > maxRead {
			t.Fatal(len(b), err)
		}
	}
	if total != 3*maxRead {
		t.Errorf("all of it: %d", total)
	}
}

func TestAFileThatIsOpenToReadIsNotWritten(t *testing.T) {
	g := newGuest(t, false)
	d := g.mustOpen("a.txt", "r")
	for name, args := range map[string][]component.Value{
		"write": {d, abi.Bytes([]byte("x")), num(0)}, "write-via-stream": {d, num(0)}, "append-via-stream": {d},
	} {
		if _, got := g.try(name, args...); got != "bad-descriptor" {
			t.Errorf("%s: %s", name, got)
		}
	}
	d = g.mustOpen("a.txt", "w")
	for name, args := range map[string][]component.Value{"read": {d, num(1), num(0)}, "read-via-stream": {d, num(0)}} {
		if _, got := g.try(name, args...); got != "bad-descriptor" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestADirectoryIsNoFile(t *testing.T) {
	g := newGuest(t, false)
	b, n := abi.Bytes([]byte("x")), num(0)
	for name, c := range map[string]struct {
		args []component.Value
		want string
	}{
		"read": {[]component.Value{n, n}, "is-directory"}, "read-via-stream": {[]component.Value{n}, "is-directory"},
		"write": {[]component.Value{b, n}, "bad-descriptor"}, "write-via-stream": {[]component.Value{n}, "bad-descriptor"},
		"append-via-stream": {nil, "bad-descriptor"}, "set-size": {[]component.Value{n}, "bad-descriptor"},
		"advise": {[]component.Value{n, n, abi.Enum(0)}, "bad-descriptor"},
	} {
		if _, got := g.try(name, append([]component.Value{g.root}, c.args...)...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	file := g.mustOpen("a.txt", "r")
	for name, args := range map[string][]component.Value{
		"read-directory": nil, "stat-at": {noFollow, str(".")}, "create-directory-at": {str("x")}, "unlink-file-at": {str("x")},
		"rename-at": {str("x"), g.root, str("y")}, "readlink-at": {str("x")},
	} {
		if _, got := g.try(name, append([]component.Value{file}, args...)...); got != "not-directory" {
			t.Errorf("%s of a file: %s", name, got)
		}
	}
}

// TestStreamsHavePositionsOfTheirOwn uses four at once, after the descriptor has gone.
func TestStreamsHavePositionsOfTheirOwn(t *testing.T) {
	g := newGuest(t, false)
	d := g.mustOpen("a.txt", "rw")
	h := d.Resource().(*descriptor).handle
	for name, args := range map[string][]component.Value{"read-via-stream": {num(0)}, "write-via-stream": {num(0)}, "append-via-stream": nil} {
		g.do(name, append([]component.Value{d}, args...)...)
	}
	if h.references != 4 {
		t.Fatalf("%d references", h.references)
	}
	first, second := &reader{handle: h}, &reader{handle: h.retain(), at: 4}
	over, end := &writer{handle: h, at: 1}, &writer{handle: h, append: true}
	g.drop(d)
	read := func(r *reader, limit int, want string, wantErr error) {
		t.Helper()
		if b, err := r.Read(limit); string(b) != want || !errors.Is(err, wantErr) {
			t.Errorf("read %q, %v; want %q, %v", b, err, want, wantErr)
		}
	}
	write := func(w *writer, s string) {
		t.Helper()
		if n, err := w.CheckWrite(); err != nil || n < len(s) {
			t.Errorf("check-write: %d, %v", n, err)
		}
		if err := errors.Join(w.Write([]byte(s)), w.Flush()); err != nil {
			t.Error(err)
		}
	}
	read(first, 2, "co", nil)
	write(end, "12")
	write(over, "O")
	read(second, 100, "ent a12", nil)
	write(over, "N")
	write(end, "34")
	read(first, 3, "Nte", nil)
	read(second, 100, "34", nil)
	read(second, 100, "", io.EOF)
	read(second, 0, "", nil)
	if got := g.content("a.txt"); got != "cONtent a1234" {
		t.Errorf("content: %q", got)
	}
	for _, c := range []io.Closer{first, second, over, end} {
		if n := len(g.Guest.open); n != 1 {
			t.Errorf("%d files are open", n)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := len(g.Guest.open); n != 0 {
		t.Errorf("%d files are open at the end", n)
	}
	if _, err := second.Read(1); err == nil {
		t.Error("a closed file is read")
	}
}

func TestAStreamsErrorHasACode(t *testing.T) {
	g := newGuest(t, false)
	d := g.mustOpen("a.txt", "r") // the host's file is not open for writing
	w := &writer{handle: d.Resource().(*descriptor).handle}
	ask := Package().Interfaces["types"].Funcs["filesystem-error-code"]
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"of a write":                            {w.Write([]byte("x")), "bad-descriptor"},
		"of an append":                          {(&writer{handle: w.handle, append: true}).Write([]byte("x")), "bad-descriptor"},
		"of what is far":                        {(&writer{handle: w.handle, at: 1<<63 - 1}).Write([]byte("x")), "file-too-large"},
		"of a directory that is standard input": {&os.PathError{Op: "read", Path: "/dev/stdin", Err: syscall.EISDIR}, "is-directory"},
		"of another thing":                      {&os.SyscallError{Syscall: "connect", Err: os.ErrPermission}, ""},
	} {
		if c.err == nil {
			t.Errorf("%s: there is none", name)
			continue
		}
		v, err := ask(nil, []component.Value{wasiio.NewError(c.err)})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if code, ok := v.Some(); ok {
			got = codeNames[code.Case()]
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestStat(t *testing.T) {
	g := newGuest(t, false)
	d := g.mustOpen("a.txt", "r")
	at := func(seconds, nanoseconds uint64) component.Value {
		return abi.Variant(setTimestamp, abi.Record(num(seconds), abi.U32(uint32(nanoseconds))))
	}
	g.do("link-at", g.root, noFollow, str("a.txt"), g.root, str("linked"))
	g.do("set-times-at", g.root, follow, str("linked"), at(42, 7), at(69, 999_999_999))
	g.do("set-times", d, abi.Enum(noChange), abi.Enum(noChange))
	show := func(v component.Value) string {
		s := fmt.Sprint("type ", v.Field(0).Case(), " links ", v.Field(1).U64(), " size ", v.Field(2).U64())
		for i := 3; i < 5; i++ {
			if t, ok := v.Field(i).Some(); ok {
				s += fmt.Sprintf(" %d.%09d", t.Field(0).U64(), t.Field(1).U32())
			}
		}
		return s
	}
	want := "type 6 links 2 size 9 42.000000007 69.999999999"
	if got := show(g.do("stat", d)); got != want {
		t.Errorf("stat: %s, want %s", got, want)
	}
	if got := show(g.do("stat-at", g.root, noFollow, str("linked"))); got != want {
		t.Errorf("stat-at: %s, want %s", got, want)
	}
	g.do("set-times", d, abi.Enum(setNow), abi.Enum(noChange))
	if got := show(g.do("stat", d)); strings.Contains(got, " 42.") || !strings.Contains(got, " 69.999999999") {
		t.Errorf("after the time of reading was set to now: %s", got)
	}
	if _, got := g.try("set-times", d, at(1<<63, 0), at(0, 0)); got != "overflow" {
		t.Errorf("a time in the far future: %s", got)
	}
	if _, got := g.try("set-times", d, at(0, 0), at(0, 1e9)); got != "invalid" {
		t.Errorf("a nanosecond too many: %s", got)
	}
	for path, want := range map[string]int{"child": typeDirectory, ".": typeDirectory, "parent": typeSymbolicLink, "b.txt": typeRegularFile} {
		if got := g.do("stat-at", g.root, noFollow, str(path)).Field(0).Case(); got != want {
			t.Errorf("type of %s: %d, want %d", path, got, want)
		}
	}
	if got := g.do("get-type", d).Case(); got != typeRegularFile {
		t.Errorf("get-type of a file: %d", got)
	}
	if got := g.do("get-type", g.root).Case(); got != typeDirectory {
		t.Errorf("get-type of a directory: %d", got)
	}
}

func TestWhatIsTheSame(t *testing.T) {
	g := newGuest(t, false)
	g.do("link-at", g.root, noFollow, str("a.txt"), g.root, str("linked"))
	a, b, linked := g.mustOpen("a.txt", "rw"), g.mustOpen("b.txt", "r"), g.mustOpen("linked", "r")
	for name, c := range map[string]struct {
		a, b component.Value
		want bool
	}{
		"a file and itself": {a, a, true}, "two names": {a, linked, true}, "two files": {a, b, false},
		"a directory by two ways": {g.root, g.mustOpen("child/..", "r"), true},
	} {
		v, err := isSameObject(nil, []component.Value{c.a, c.b})
		if err != nil || v.Bool() != c.want {
			t.Errorf("%s: %v, %v", name, v.Bool(), err)
		}
	}
	hash := func(v component.Value) [2]uint64 { return [2]uint64{v.Field(0).U64(), v.Field(1).U64()} }
	first := hash(g.do("metadata-hash", a))
	if again := hash(g.do("metadata-hash-at", g.root, follow, str("linked"))); again != first {
		t.Errorf("by another name: %x, was %x", again, first)
	}
	if other := hash(g.do("metadata-hash", b)); other[0] == first[0] || other[1] == first[1] {
		t.Errorf("of another: %x and %x", other, first)
	}
	g.do("set-size", a, num(1))
	if changed := hash(g.do("metadata-hash", a)); changed[0] != first[0] || changed[1] == first[1] {
		t.Errorf("of a file that was changed: %x, was %x", changed, first)
	}
}

func (g *guest) list(stream component.Value) (names []string, outcomes []string) {
	g.Helper()
	for {
		v, outcome := g.outcome(readDirectoryEntry(nil, []component.Value{stream}))
		if outcome != "ok" {
			outcomes = append(outcomes, outcome)
			continue
		}
		entry, ok := v.Some()
		if !ok {
			slices.Sort(names)
			return names, outcomes
		}
		names = append(names, fmt.Sprint(entry.Field(1).String(), " ", entry.Field(0).Case()))
	}
}

func TestDirectoriesAreListed(t *testing.T) {
	g := newGuest(t, false)
	one, two := g.do("read-directory", g.root), g.do("read-directory", g.root)
	want := []string{"a.txt 6", "b.txt 6", "child 3", "parent 5"}
	readDirectoryEntry(nil, []component.Value{two})
	if got, errs := g.list(one); !slices.Equal(got, want) || errs != nil {
		t.Errorf("%v, %v; want %v", got, errs, want)
	}
	if got, _ := g.list(two); len(got) != 3 {
		t.Errorf("the rest: %v", got)
	}
	if got, _ := g.list(one); len(got) != 0 {
		t.Errorf("behind the end: %v", got)
	}
	g.drop(one)
	g.drop(two)

	many := filepath.Join(g.host, "many")
	if err := os.Mkdir(many, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 3*batch + 1 {
		if err := os.WriteFile(filepath.Join(many, fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(many, "\xff\xfe"), nil, 0o600); err != nil {
		t.Skip("names must be Unicode here")
	}
	names, errs := g.list(g.do("read-directory", g.mustOpen("many", "r")))
	if len(slices.Compact(names)) != 3*batch+1 || !slices.Equal(errs, []string{"illegal-byte-sequence"}) {
		t.Errorf("%d names, %v", len(names), errs)
	}
}

func TestWhatAGuestHasOpenIsBounded(t *testing.T) {
	g := newGuest(t, false)
	var last component.Value
	for i := range maxOpen {
		v, got := g.open(g.root, "a.txt", "r")
		if got != "ok" {
			t.Fatalf("file %d: %s", i, got)
		}
		last = v
	}
	if _, got := g.open(g.root, "a.txt", "r"); got != "insufficient-memory" {
		t.Errorf("one too many: %s", got)
	}
	if _, got := g.try("read-directory", g.root); got != "insufficient-memory" {
		t.Errorf("one too many: %s", got)
	}
	g.drop(last)
	if _, got := g.open(g.root, "a.txt", "r"); got != "ok" {
		t.Errorf("after one was dropped: %s", got)
	}
}

func TestAGuestWithoutFiles(t *testing.T) {
	var none *Guest
	for _, g := range []*Guest{none, NewGuest(nil)} {
		if list := g.directories().List(); len(list) != 0 {
			t.Errorf("preopens: %v", list)
		}
	}
}

// TestLargeFilesAreCopied copies through streams, with appends of odd sizes.
func TestLargeFilesAreCopied(t *testing.T) {
	g := newGuest(t, false)
	content := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	if err := os.WriteFile(filepath.Join(g.host, "large"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &reader{handle: g.mustOpen("large", "r").Resource().(*descriptor).handle}
	w := &writer{handle: g.mustOpen("copy", "cw").Resource().(*descriptor).handle, append: true}
	for i := 1; ; i++ {
		b, err := r.Read(i*7919 + 1)
		if err == io.EOF {
			break
		}
		if err := errors.Join(err, w.Write(b)); err != nil {
			t.Fatal(err)
		}
	}
	if got := g.content("copy"); got != string(content) {
		t.Errorf("the copy has %d bytes of %d, or others", len(got), len(content))
	}
	if info, err := os.Stat(filepath.Join(g.host, "copy")); err != nil || info.Mode().Perm()&0o600 != 0o600 {
		t.Errorf("permissions: %v, %v", info, err)
	}
}

func TestTheHostHasWhatItsTextDeclares(t *testing.T) {
	if _, err := component.NewHost(wasiio.Package(), clocks.Package(), Package()); err != nil {
		t.Error(err)
	}
}
