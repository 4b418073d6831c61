package component

import "strings"

// track is what an interface's name has in common with those it is compatible with: "wasi:io/poll@0.2.3" is on the track
// "wasi:io/poll@0.2", and the host's 0.2.12 serves it. Semantic Versioning: what begins with 0 changes with its second number, and with
// 0.0 every version is its own; so is every pre-release. A name without a version is its own track.
func track(name string) string {
	base, version, ok := strings.Cut(name, "@")
	if !ok || strings.Contains(version, "-") {
		return name
	}
	version, _, _ = strings.Cut(version, "+") // build metadata says nothing
	n := strings.SplitN(version, ".", 3)
	switch {
	case len(n) < 3 || n[0] == "0" && n[1] == "0":
		return base + "@" + version
	case n[0] == "0":
		return base + "@0." + n[1]
	}
	return base + "@" + n[0]
}

// unversioned is an interface's name without its version.
func unversioned(name string) string {
	base, _, _ := strings.Cut(name, "@")
	return base
}
