package component

import "testing"

func TestTrack(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"wasi:io/poll@0.2.3", "wasi:io/poll@0.2"},
		{"wasi:io/poll@0.2.12", "wasi:io/poll@0.2"},
		{"wasi:io/poll@0.2", "wasi:io/poll@0.2"}, // its version was canonicalised
		{"wasi:io/poll@0.2.3+build.7", "wasi:io/poll@0.2"},
		{"wasi:io/poll@0.3.0", "wasi:io/poll@0.3"},
		{"a:b/c@1.2.3", "a:b/c@1"},
		{"a:b/c@1", "a:b/c@1"},
		{"a:b/c@2.0.0", "a:b/c@2"},
		{"a:b/c@0.0.3", "a:b/c@0.0.3"},
		{"wasi:io/poll@0.2.0-rc-2023-11-10", "wasi:io/poll@0.2.0-rc-2023-11-10"},
		{"a:b/c", "a:b/c"},
		{"run", "run"},
		{"a:b/c@", "a:b/c@"},
	} {
		if got := track(c.name); got != c.want {
			t.Errorf("track(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}
