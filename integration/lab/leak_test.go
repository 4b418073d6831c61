//go:build linux

package lab

import (
	"slices"
	"testing"
)

func TestDiffTellsWhatIsLeftFromWhatIsMissing(t *testing.T) {
	const fd = "descriptor of shim: socket"
	for _, tt := range []struct {
		name          string
		before, after Snapshot
		want          []string
	}{
		{"nothing changed", Snapshot{"mount /", "process a"}, Snapshot{"mount /", "process a"}, nil},
		{"one more of the same", Snapshot{"mount /"}, Snapshot{"mount /", "mount /"}, []string{"+ mount /"}},
		{"one gone", Snapshot{"process a"}, nil, []string{"- process a"}},
		{"a descriptor more", Snapshot{fd}, Snapshot{fd, fd}, []string{"+ " + fd}},
		{"a descriptor less is no leak", Snapshot{fd, fd}, Snapshot{fd}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.before.diff(tt.after); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCgroupsOfPodsAreKubeletsAndWhatIsInThemIsNot(t *testing.T) {
	for name, want := range map[string]bool{
		"/pods": true, "/pods/pod-1": true, "/k8s.io": true, "/pods/pod-1/container": false, "/other": false,
		"/kubepods": true, "/kubepods/burstable": true, "/kubepods/burstable/pod1": false, "/kubepods/pod1": false,
	} {
		if parent.MatchString(name) != want {
			t.Errorf("%s: got %v", name, !want)
		}
	}
}
