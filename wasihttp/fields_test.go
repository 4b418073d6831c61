package wasihttp

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// text is how a test reads fields.
func (f *fields) text() string {
	var b strings.Builder
	for _, e := range f.list {
		b.WriteString(e.name + "=" + e.value + ";")
	}
	return b.String()
}

func TestWhatFieldsTake(t *testing.T) {
	for _, tc := range []struct {
		name, field, value string
		want               error
	}{
		{"a plain field", "X-Name", "value", nil},
		{"a value that is empty", "x", "", nil},
		{"a value with a tab, and bytes that are no ASCII", "x", "a\tb\xff\xc3\xa9", nil},
		{"all that a name may have", "!#$%&'*+-.^_`|~aZ9", "x", nil},
		{"no name", "", "x", headerInvalidSyntax},
		{"a name with a space", "a b", "x", headerInvalidSyntax},
		{"a name with a colon", "a:", "x", headerInvalidSyntax},
		{"a name of HTTP/2's", ":path", "/", headerInvalidSyntax},
		{"a name that is no ASCII", "é", "x", headerInvalidSyntax},
		{"a value with a line's end", "x", "a\nb", headerInvalidSyntax},
		{"a value with a carriage return", "x", "a\rb", headerInvalidSyntax},
		{"a value with a zero byte", "x", "a\x00b", headerInvalidSyntax},
		{"a value with DEL", "x", "a\x7fb", headerInvalidSyntax},
		{"a length", "Content-Length", "12", nil},
		{"a length with a sign", "content-length", "+5", headerInvalidSyntax},
		{"a length that is empty", "content-length", "", headerInvalidSyntax},
		{"a length beyond all bounds", "content-length", "9999999999999999999999", headerInvalidSyntax},
		{"Connection", "Connection", "close", headerForbidden},
		{"Host, in any case", "hOsT", "example.com", headerForbidden},
		{"Transfer-Encoding", "transfer-encoding", "chunked", headerForbidden},
		{"Upgrade", "Upgrade", "h2c", headerForbidden},
		{"a forbidden name, and a bad value", "keep-alive", "\n", headerForbidden},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &fields{}
			if err := f.append(tc.field, tc.value); err != tc.want {
				t.Errorf("append: %v, want %v", err, tc.want)
			}
			g := &fields{}
			if err := g.set(tc.field, []string{tc.value}); err != tc.want {
				t.Errorf("set: %v, want %v", err, tc.want)
			}
			if (tc.want == nil) != g.has(tc.field) || f.text() != g.text() {
				t.Errorf("they hold %q and %q", f.text(), g.text())
			}
		})
	}
}

func TestFieldsKeepTheirOrderAndTheirNames(t *testing.T) {
	f := &fields{}
	for _, e := range []field{{"B", "1"}, {"a", "2"}, {"b", "3"}, {"C", "4"}} {
		if err := f.append(e.name, e.value); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.text(); got != "B=1;a=2;b=3;C=4;" {
		t.Errorf("they are %s", got)
	}
	if got := f.values("b"); !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("b has %q", got)
	}
	clone := f.clone()
	if err := clone.set("B", []string{"5"}); err != nil {
		t.Fatal(err)
	}
	if err := f.delete("A"); err != nil || f.has("a") {
		t.Errorf("delete: %v, %s", err, f.text())
	}
	if f.text() != "B=1;b=3;C=4;" || clone.text() != "a=2;C=4;B=5;" {
		t.Errorf("they are %s and %s", f.text(), clone.text())
	}
	if err := clone.set("c", nil); err != nil || clone.has("C") {
		t.Errorf("no values: %v, %s", err, clone.text())
	}
}

func TestImmutableFields(t *testing.T) {
	f := newFields(http.Header{"X-Name": {"1"}, "Connection": {"close"}, "Accept": {"2", "3"}})
	if got := f.text(); got != "accept=2;accept=3;x-name=1;" {
		t.Errorf("they are %s", got)
	}
	for name, err := range map[string]error{
		"append": f.append("a", "b"), "set": f.set("a", []string{"b"}), "delete": f.delete("x-name"), "a view": f.view().delete("x-name"),
	} {
		if err != headerImmutable {
			t.Errorf("%s: %v", name, err)
		}
	}
	clone := f.view().clone()
	if err := clone.append("a", "b"); err != nil || f.has("a") {
		t.Errorf("a clone: %v, %s", err, f.text())
	}
}

func TestFieldsAreBounded(t *testing.T) {
	var trap *instance.TrapError
	f := &fields{}
	value := strings.Repeat("x", 60<<10)
	for range 2 {
		if err := f.append("a", value); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.append("a", value); !errors.As(err, &trap) {
		t.Errorf("a large one more: %v", err)
	}
	if err := f.set("a", []string{"b"}); err != nil {
		t.Error(err)
	}
	n := 0
	for ; n < 1<<20 && f.append("a", "") == nil; n++ {
	}
	if n == 0 || n > maxFieldsSize/fieldOverhead {
		t.Errorf("%d small ones", n)
	}
}

func TestLengthOfFields(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values []string
		want   int64
		ok     bool
	}{
		{"none", nil, -1, true},
		{"one", []string{"7"}, 7, true},
		{"the same twice", []string{"7", "7"}, 7, true},
		{"two", []string{"7", "8"}, -1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &fields{}
			if err := f.set("Content-Length", tc.values); err != nil {
				t.Fatal(err)
			}
			if n, ok := f.length(); n != tc.want || ok != tc.ok {
				t.Errorf("got %d, %t", n, ok)
			}
		})
	}
}

func TestFieldsAsGuestsSeeThem(t *testing.T) {
	list := abi.List(abi.Tuple(abi.String("A"), abi.Bytes([]byte("1"))), abi.Tuple(abi.String("a"), abi.Bytes([]byte("2"))))
	made, err := fieldsOfList(nil, list.List())
	if err != nil {
		t.Fatal(err)
	}
	f, ok := made.OK()
	if !ok {
		t.Fatal("refused")
	}
	if entries, _ := fieldsEntries(nil, []component.Value{f}); !entries.Equal(list) {
		t.Error("the entries are not those of the list")
	}
	values, _ := fieldsGet(nil, []component.Value{f, abi.String("a")})
	if got := values.List(); len(got) != 2 || !bytes.Equal(got[1].Bytes(), []byte("2")) {
		t.Errorf("get returned %d values", len(got))
	}
	if none, _ := fieldsGet(nil, []component.Value{f, abi.String("not a name")}); len(none.List()) != 0 {
		t.Error("get returned values of no name")
	}
	bad := abi.List(abi.Tuple(abi.String("host"), abi.Bytes(nil)))
	refused, _ := fieldsOfList(nil, bad.List())
	if e, ok := refused.OK(); ok || e.Case() != int(headerForbidden) {
		t.Errorf("a forbidden name: %d, %t", e.Case(), ok)
	}
}

// What fields take net/http must take too, or a guest could make it fail in ways that nobody has thought of.
func FuzzFields(f *testing.F) {
	for _, seed := range []field{{"X-Name", "value"}, {"content-length", "1"}, {"", "\x00"}, {"a b", "\r\n"}, {"Host", "x"}, {"é", "\xff"}} {
		f.Add(seed.name, seed.value)
	}
	errDialed := errors.New("it would connect")
	client := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errDialed }}
	f.Fuzz(func(t *testing.T, name, value string) {
		have := &fields{}
		if have.append(name, value) != nil {
			if have.has(name) || have.size != 0 {
				t.Errorf("%q was refused, and is there", name)
			}
			return
		}
		r, err := http.NewRequest("GET", "http://example.com", nil)
		if err != nil {
			t.Fatal(err)
		}
		have.copyTo(r.Header)
		if _, err := client.RoundTrip(r); !errors.Is(err, errDialed) {
			t.Errorf("%q: %q: %v", name, value, err)
		}
		if err := have.set(name, []string{value, value}); err != nil || len(have.values(strings.ToUpper(name))) != 2 {
			t.Errorf("set: %v, %s", err, have.text())
		}
		if err := have.delete(strings.ToLower(name)); err != nil || have.has(name) || have.size != 0 {
			t.Errorf("delete: %v, %s, %d bytes", err, have.text(), have.size)
		}
	})
}
