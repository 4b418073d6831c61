// Package version says which mayfly this is.
package version

import "runtime/debug"

// Version is set by the linker for releases.
var Version = "dev"

// Commit returns the source commit the binary was built from, with "+dirty" behind it when the tree had changes, or "" when unknown.
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	commit, dirty := "", false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if commit != "" && dirty {
		commit += "+dirty"
	}
	return commit
}
