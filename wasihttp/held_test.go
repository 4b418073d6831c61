package wasihttp

import (
	"errors"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/outbound"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// largeFields are as large as fields may be, or nearly.
func largeFields(t *testing.T, g *guest) *fields {
	t.Helper()
	f := &fields{guest: g}
	if err := f.append("x", strings.Repeat("x", maxFieldsSize-100)); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWhatAGuestHoldsOfTheHostIsBounded(t *testing.T) {
	for _, tc := range []struct {
		name string
		hold func(t *testing.T, g *guest) (another func() error, drop func())
	}{
		{"clones", func(t *testing.T, g *guest) (func() error, func()) {
			var all []*fields
			f := largeFields(t, g)
			return func() error {
					v, err := fieldsValue(f.clone(), g)
					if err == nil {
						all = append(all, fieldsOf(v))
					}
					return err
				}, func() {
					for _, f := range append(all, f) {
						f.drop()
					}
				}
		}},
		{"fields that were changed", func(t *testing.T, g *guest) (func() error, func()) {
			var all []*fields
			return func() error {
					f := &fields{guest: g}
					all = append(all, f)
					if err := f.append("a", strings.Repeat("x", 60<<10)); err != nil {
						return err
					}
					if err := f.delete("a"); err != nil {
						return err
					}
					return f.set("b", []string{strings.Repeat("x", 60<<10), ""})
				}, func() {
					for _, f := range all {
						f.drop()
					}
				}
		}},
		{"the headers of one request", func(t *testing.T, g *guest) (func() error, func()) {
			m := newMessage(abi.Resource(largeFields(t, g)))
			var all []*fields
			return func() error {
					v, err := m.headers()
					if err == nil {
						all = append(all, fieldsOf(v))
					}
					return err
				}, func() {
					for _, f := range all {
						f.drop()
					}
					m.drop()
				}
		}},
		{"requests with paths", func(t *testing.T, g *guest) (func() error, func()) {
			var all []*outgoingRequest
			path := abi.Some(abi.String("/" + strings.Repeat("x", 60<<10)))
			return func() error {
					v, _ := outgoingRequestNew(nil, []component.Value{abi.Resource(&fields{guest: g})})
					all = append(all, outgoingRequestOf(v))
					for range 3 {
						if _, err := outgoingRequestSetPathWithQuery(nil, []component.Value{v, path}); err != nil {
							return err
						}
					}
					return nil
				}, func() {
					for _, r := range all {
						r.drop()
					}
				}
		}},
		{"bodies that go nowhere", func(t *testing.T, g *guest) (func() error, func()) {
			var all []*outgoingRequest
			return func() error {
					v, _ := outgoingRequestNew(nil, []component.Value{abi.Resource(&fields{guest: g})})
					all = append(all, outgoingRequestOf(v))
					if body, _ := outgoingRequestBody(nil, []component.Value{v}); body.Case() != 0 {
						t.Fatal("no body")
					}
					return (&outletStream{outlet: outgoingRequestOf(v).out}).Write([]byte("x"))
				}, func() {
					for _, r := range all {
						r.drop()
					}
				}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := &guest{}
			another, drop := tc.hold(t, g)
			n := 0
			for ; n < 10_000; n++ {
				if err := another(); err != nil {
					if !errors.Is(err, errHeld) {
						t.Fatal(err)
					}
					break
				}
			}
			if n < 100 || n > 500 || g.held > maxHeld {
				t.Errorf("%d, which are %d bytes", n, g.held)
			}
			drop()
			if g.held != 0 {
				t.Errorf("%d bytes are still counted when all has been dropped", g.held)
			}
		})
	}
}

func TestFieldsThatWereDeletedLeaveNoRoomBehind(t *testing.T) {
	f := &fields{}
	for range 1000 {
		if err := f.append("x", ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.delete("x"); err != nil || cap(f.list) > 16 || f.size != 0 {
		t.Errorf("room for %d, %d bytes, %v", cap(f.list), f.size, err)
	}
}

func TestWhatIsSentIsHeldNoLonger(t *testing.T) {
	s := serveComponent(t)
	policy, err := outbound.Parse("")
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(policy)
	defer c.close()
	g := &guest{client: c}
	for range 1000 {
		v, _ := outgoingRequestNew(nil, []component.Value{abi.Resource(largeFields(t, g))})
		r := outgoingRequestOf(v)
		r.fields.list[0].value = "" // it need not be sent for this
		r.scheme, r.hasScheme, r.authority, r.hasAuthority, r.path = "http", true, s.addr, true, "/hello"
		f, err := g.fetch(t.Context(), r, noTimeouts)
		if err != nil {
			t.Fatal(err)
		}
		<-f.ended
		if f.err != nil {
			t.Fatal(f.err)
		}
		f.answer() // and that is dropped by nobody
		eventually(t, "the answer is here", func() bool { return f.body.ready() && f.body.whole() })
	}
	if g.held > maxHeld {
		t.Errorf("%d bytes", g.held)
	}
	g.close()
}

func TestAllGuestsTogetherLeaveDescriptorsToOthers(t *testing.T) {
	s := serveComponent(t)
	before := underWay.Load()
	underWay.Store(maxUnderWay)
	_, body := s.get(t, "/get?url="+s.url+"/hello")
	if !strings.Contains(body, "connection-limit-reached") {
		t.Errorf("got %q", body)
	}
	underWay.Store(before)
	if _, body := s.get(t, "/get?url="+s.url+"/hello"); !strings.Contains(body, "hello") {
		t.Errorf("then %q", body)
	}
	eventually(t, "nothing is under way", func() bool { return underWay.Load() == before })
}
