package ociimage

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// Reference is an image's full name as containerd and kubelet know it:
// registry, repository and tag, nothing implied.
type Reference struct {
	Repository string // docker.io/library/hello
	Tag        string // v1
}

// ParseReference completes s the way kubelet does before it asks the node for
// an image: hello:v1 is docker.io/library/hello:v1, me/hello is
// docker.io/me/hello:latest, localhost:5000/hello:v1 stays as it is. An image
// stored under any other name is not found by a pod that says hello:v1, so the
// rules are the library's that kubelet and containerd use.
func ParseReference(s string) (Reference, error) {
	if strings.Contains(s, "@") {
		return Reference{}, fmt.Errorf("image name %q: a digest cannot be chosen, it follows from the content: use NAME:TAG", s)
	}
	named, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		return Reference{}, fmt.Errorf("image name %q: want [REGISTRY/]NAME:TAG in lower case, as in hello:v1 or registry.example/team/hello:v1", s)
	}
	r := Reference{Repository: named.Name(), Tag: "latest"}
	if t, ok := named.(reference.Tagged); ok {
		r.Tag = t.Tag()
	}
	return r, nil
}

// String returns the whole name, docker.io/library/hello:v1.
func (r Reference) String() string { return r.Repository + ":" + r.Tag }
