package filesystem

import (
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
)

// instance is the state of one.
type instance struct{ files *Guest }

func (i instance) Filesystem() *Guest { return i.files }

// renew makes a descriptor again, for another guest.
func renew(v component.Value, other *Guest) (component.Value, bool) {
	return v.Resource().(component.Renewable).Renew(instance{other})
}

func TestInstancesOfASnapshotHaveTheirOwnPreopens(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		g := newGuest(t, readOnly)
		var others []*guest
		for range 3 {
			other := &guest{T: t, Guest: NewGuest(g.files), host: g.host}
			defer other.Close()
			root, ok := renew(g.root, other.Guest)
			if !ok {
				t.Fatal("a directory that all guests have cannot be had again")
			}
			other.root = root
			others = append(others, other)
		}
		g.drop(g.root) // whose it was is gone
		for n, other := range others {
			if d := descriptorOf(other.root); d.guest != other.Guest || d.flags != descriptorOf(g.root).flags {
				t.Errorf("it is %+v", d)
			}
			other.mustOpen("a.txt", "r")
			if len(other.Guest.open) != 1 || len(g.Guest.open) != 0 {
				t.Error("what it opens is not its own")
			}
			want := map[bool]string{false: "ok", true: "read-only"}[readOnly]
			if _, got := other.try("create-directory-at", other.root, str(string(rune('x'+n)))); got != want {
				t.Errorf("read-only %t: it makes a directory: %s", readOnly, got)
			}
			other.drop(other.root) // and the others have theirs still
		}
		if _, ok := renew(g.preopen(0), g.Guest); !ok {
			t.Error("a directory cannot be had again after instances have ended")
		}
	}
}

func TestWhatAGuestHasOpenedNoOtherHas(t *testing.T) {
	g := newGuest(t, false)
	for name, v := range map[string]component.Value{"a file": g.mustOpen("a.txt", "r"), "a directory": g.mustOpen("child", "rd"), "the preopen, by a path": g.mustOpen(".", "rd")} {
		if _, ok := renew(v, NewGuest(g.files)); ok {
			t.Errorf("%s: it can", name)
		}
	}
	for name, v := range map[string]component.Value{"the entries of a directory": g.do("read-directory", g.root), "a stream of a file": g.do("read-via-stream", g.mustOpen("a.txt", "r"), abi.U64(0))} {
		if r, ok := v.Resource().(component.Renewable); ok {
			if _, ok := r.Renew(instance{NewGuest(g.files)}); ok {
				t.Errorf("%s: it can", name)
			}
		}
	}
	elsewhere, err := guestfs.OpenDirs([]guestfs.Mount{{Host: t.TempDir(), Guest: "/data"}})
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	for name, other := range map[string]*Guest{"without files": nil, "with no files": NewGuest(nil), "with other files": NewGuest(elsewhere)} {
		if _, ok := renew(g.root, other); ok {
			t.Errorf("an instance %s has the directory", name)
		}
	}
}
