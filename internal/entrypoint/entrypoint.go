// Package entrypoint knows where in a container its program is looked for. The shim asks it of a bundle and the command line of an
// image: what runs on the laptop is to run in the pod.
package entrypoint

import (
	"path"
	"strings"
)

const (
	// maxDirectories bounds the search, which an image's PATH decides about.
	maxDirectories = 64
	// maxPath is the kernel's limit; a longer path names nothing.
	maxPath = 4096
)

// defaultPath is where runc looks when the environment has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Candidates returns the absolute paths at which the program called name may be, in the order of the search: name itself where it
// is a path, relative to cwd, and otherwise that name in the directories of env's PATH, of which the first 64 count.
func Candidates(name, cwd string, env []string) []string {
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = path.Join("/", cwd, name)
		}
		return []string{path.Clean(name)}
	}
	search := defaultPath
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok && v != "" {
			search = v
		}
	}
	var paths []string
	for dir := range strings.SplitSeq(search, ":") {
		if len(paths) == maxDirectories {
			break
		}
		if len(dir)+len(name) < maxPath {
			paths = append(paths, path.Join("/", dir, name))
		}
	}
	return paths
}
