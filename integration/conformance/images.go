//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// platforms are those of the public images that the suite tells apart.
var platforms = []v1.Platform{
	{OS: "linux", Architecture: "amd64"},
	{OS: "linux", Architecture: "arm", Variant: "v7"},
	{OS: "linux", Architecture: "arm64", Variant: "v8"},
	{OS: "linux", Architecture: "ppc64le"},
	{OS: "linux", Architecture: "s390x"},
}

// file is one file of a layer; one whose name ends in / is a directory.
type file struct {
	name, text string
	mode       fs.FileMode
	uid, gid   int
}

// small is what the suite expects of busybox's image: accounts by number and
// name, and an nc that ends at SIGTERM. The kernel keeps that signal from the
// first process of a container unless it has a handler, which Debian's lacks.
var small = []file{
	{name: "bin/nc", mode: 0o755, text: `#!/bin/sh
trap 'exit 143' TERM
busybox nc "$@" &
wait $!
`},
	{name: "etc/passwd", mode: 0o644, text: `root:x:0:0:root:/:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
backup:x:34:34:backup:/var/backups:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`},
	{name: "etc/group", mode: 0o644, text: `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
tty:x:5:
www-data:x:33:
backup:x:34:
nogroup:x:65534:
`},
}

// image is what stands under one public name.
type image struct {
	name   string // repository and tag, without the registry's host
	config v1.Config
	// layers on top of busybox's, one for each list. Without any, the image is
	// never run and has no busybox either.
	layers [][]file
}

var shell = v1.Config{Cmd: []string{"sh"}, Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}}

// images are all the suite pulls, but for one it names by digest.
var images = []image{
	{name: "containerd/busybox:1.36", config: shell, layers: [][]file{small}},
	{name: "containerd/volume-copy-up:2.2", config: withVolumes("/test_dir", "C:/weird_test_dir", "/:colon_prefixed"), layers: [][]file{
		small,
		{{name: "test_dir/", mode: 0o755}, {name: "test_dir/test_file", text: "test_content\n", mode: 0o644}},
		{{name: "C:/", mode: 0o755}, {name: "C:/weird_test_dir/", mode: 0o755},
			{name: "C:/weird_test_dir/weird_test_file", text: "test_content\n", mode: 0o644}},
		{{name: ":colon_prefixed/", mode: 0o755}, {name: ":colon_prefixed/colon_prefixed_file", text: "test_content\n", mode: 0o644}},
	}},
	// Tests of user namespaces run bash, look at a program with the setuid bit,
	// and have a root nobody can make mount points in.
	{name: "containerd/volume-ownership:2.1", config: withVolumes("/test_dir"), layers: [][]file{
		small,
		{{name: "bin/bash", text: "#!/bin/sh\nexec /bin/sh \"$@\"\n", mode: 0o755},
			{name: "usr/", mode: 0o755}, {name: "usr/bin/", mode: 0o755},
			{name: "usr/bin/passwd", text: "#!/bin/false\n", mode: 0o755 | fs.ModeSetuid},
			{name: "dev/", mode: 0o755}, {name: "proc/", mode: 0o755}, {name: "run/", mode: 0o755}, {name: "sys/", mode: 0o755},
			{name: "test_dir/", mode: 0o755, uid: 65534, gid: 65534}},
	}},
	{name: "pause:3.10.2"},
	{name: "pause:3.6"},
	{name: "e2e-test-images/busybox:1.29-2"},
}

func withVolumes(paths ...string) v1.Config {
	c := shell
	c.Volumes = map[string]struct{}{}
	for _, p := range paths {
		c.Volumes[p] = struct{}{}
	}
	return c
}

// build makes the image for every platform: the real one for this machine's,
// and for the others one that says which it is.
func (i image) build(busybox v1.Image) (v1.ImageIndex, error) {
	index := v1.ImageIndex(empty.Index)
	for _, p := range platforms {
		base, layers := v1.Image(empty.Image), [][]file{{{name: "image", text: i.name + " for " + p.String() + "\n", mode: 0o644}}}
		if p.Architecture == runtime.GOARCH && i.layers != nil {
			base, layers = busybox, i.layers
		}
		img, err := i.platform(base, layers, p)
		if err != nil {
			return nil, fmt.Errorf("make image %s for %s: %w", i.name, p, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &p}})
	}
	return index, nil
}

func (i image) platform(base v1.Image, layers [][]file, p v1.Platform) (v1.Image, error) {
	for _, files := range layers {
		l, err := layer(files)
		if err != nil {
			return nil, err
		}
		if base, err = mutate.AppendLayers(base, l); err != nil {
			return nil, err
		}
	}
	cf, err := base.ConfigFile()
	if err != nil {
		return nil, err
	}
	cf = cf.DeepCopy()
	cf.Config, cf.OS, cf.Architecture, cf.Variant = i.config, p.OS, p.Architecture, p.Variant
	return mutate.ConfigFile(base, cf)
}

func layer(files []file) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	var errs []error
	for _, f := range files {
		h := &tar.Header{Name: f.name, Size: int64(len(f.text)), Mode: int64(f.mode.Perm()), Uid: f.uid, Gid: f.gid}
		if f.mode&fs.ModeSetuid != 0 {
			h.Mode |= 0o4000
		}
		errs = append(errs, w.WriteHeader(h))
		_, err := io.WriteString(w, f.text)
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, w.Close())...); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
}
