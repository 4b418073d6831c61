package ociimage

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ErrNotArchive is returned by Open for a file that is no tar at all, or one
// that holds no image.
var ErrNotArchive = errors.New("not an image archive")

// Archive is an image found in a tar file. Its methods read from that file, so
// it is to be closed after them.
type Archive struct {
	Names    []string // the names it was saved under, as they stand there
	Digest   v1.Hash  // of the manifest; in an archive by docker save, of the configuration
	Platform v1.Platform
	Config   v1.Config

	file    *os.File
	members map[string]member
	layers  []member
	diffIDs []v1.Hash
}

// member is a file within the tar.
type member struct {
	offset, size int64
	link         string // where a link leads, in the tar; then there is no content
}

// Open finds the image for Linux on this machine's processor in the tar file at
// name: an OCI image layout, or what `docker save` writes. An image for another
// processor is taken when there is no better one, because Wasm runs on all.
// It returns an error that wraps ErrNotArchive for a file of another kind.
func Open(name string) (*Archive, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open image: %w", err)
	}
	a := &Archive{file: f}
	if err := a.read(); err != nil {
		f.Close()
		return nil, fmt.Errorf("open image %s: %w", name, err)
	}
	return a, nil
}

// Close closes the file.
func (a *Archive) Close() error { return a.file.Close() }

func (a *Archive) read() error {
	var err error
	if a.members, err = listMembers(a.file); err != nil {
		return err
	}
	if _, ok := a.members["index.json"]; ok {
		return a.readLayout()
	}
	if _, ok := a.members["manifest.json"]; ok {
		return a.readDocker()
	}
	return fmt.Errorf("%w: it has neither index.json nor manifest.json: make one with mayfly build, docker save or ctr image export", ErrNotArchive)
}

// listMembers reads the tar's headers and notes where each content starts.
func listMembers(f *os.File) (map[string]member, error) {
	var magic [4]byte
	if n, _ := f.ReadAt(magic[:], 0); n == len(magic) {
		if c := compressionOf(magic[:]); c != "" {
			return nil, fmt.Errorf("%w: it is compressed with %s: unpack it once and give the .tar", ErrNotArchive, c)
		}
	}
	members := map[string]member{}
	tr := tar.NewReader(f)
	for n := 0; ; n++ {
		h, err := tr.Next()
		if err == io.EOF {
			return members, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: read it as tar: %w", ErrNotArchive, err)
		}
		if n == maxArchiveEntries {
			return nil, fmt.Errorf("more than %d files: too many for an image", maxArchiveEntries)
		}
		name := clean(h.Name)
		switch h.Typeflag {
		case tar.TypeReg:
			// The reader takes whole blocks and no more, so the file
			// stands where the content starts.
			at, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				return nil, err
			}
			members[name] = member{offset: at, size: h.Size}
		case tar.TypeSymlink: // docker save names a layer it has already that way
			members[name] = member{link: clean(path.Join(path.Dir(name), h.Linkname))}
		case tar.TypeLink:
			members[name] = member{link: clean(h.Linkname)}
		}
	}
}

func (a *Archive) member(name string) (member, error) {
	m, ok := a.members[clean(name)]
	if ok && m.link != "" {
		m, ok = a.members[m.link]
	}
	if !ok || m.link != "" {
		return member{}, fmt.Errorf("%s: %w: the archive is incomplete, save it again", name, fs.ErrNotExist)
	}
	return m, nil
}

func (a *Archive) open(m member) io.Reader {
	return io.NewSectionReader(a.file, m.offset, m.size)
}

// document decodes the JSON document name into v, and returns its digest.
func (a *Archive) document(name string, v any) (v1.Hash, error) {
	m, err := a.member(name)
	if err != nil {
		return v1.Hash{}, err
	}
	if m.size > maxDocument {
		return v1.Hash{}, fmt.Errorf("%s: %d bytes, more than the %d such a document may have", name, m.size, maxDocument)
	}
	p, err := io.ReadAll(a.open(m))
	if err != nil {
		return v1.Hash{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := json.Unmarshal(p, v); err != nil {
		return v1.Hash{}, fmt.Errorf("%s: %w", name, err)
	}
	digest, _, err := v1.SHA256(bytes.NewReader(p))
	return digest, err
}

// blob decodes the document that d describes, which must be the one d means.
func (a *Archive) blob(d v1.Descriptor, v any) error {
	if err := checkHash(d.Digest); err != nil {
		return err
	}
	digest, err := a.document(blobPath(d.Digest), v)
	if err != nil {
		return err
	}
	if digest != d.Digest {
		return fmt.Errorf("%s: its content has the digest %s: the archive is damaged, save it again", d.Digest, digest)
	}
	return nil
}

// checkHash refuses what is not a sha256: the name of a blob is made of it.
func checkHash(h v1.Hash) error {
	if _, err := v1.NewHash(h.String()); err != nil || h.Algorithm != "sha256" {
		return fmt.Errorf("digest %q: want sha256: and 64 hexadecimal digits", h)
	}
	return nil
}

// readLayout reads an OCI image layout.
func (a *Archive) readLayout() error {
	var index v1.IndexManifest
	if _, err := a.document("index.json", &index); err != nil {
		return err
	}
	if len(index.Manifests) > maxManifests {
		return fmt.Errorf("index.json: %d images, more than %d", len(index.Manifests), maxManifests)
	}
	var named v1.Hash
	for _, d := range index.Manifests {
		n := d.Annotations[annotationImageName]
		if n == "" || slices.Contains(a.Names, n) {
			continue
		}
		a.Names = append(a.Names, n)
		if named != (v1.Hash{}) && named != d.Digest {
			return fmt.Errorf("several images (%s): save the one you mean by itself", strings.Join(a.Names, ", "))
		}
		named = d.Digest
	}
	candidates, budget := []v1.Descriptor(nil), maxManifests
	if err := a.walk(index, 0, &budget, &candidates); err != nil {
		return err
	}
	best, err := pick(candidates)
	if err != nil {
		return err
	}
	var manifest v1.Manifest
	if err := a.blob(best, &manifest); err != nil {
		return err
	}
	var config v1.ConfigFile
	if err := a.blob(manifest.Config, &config); err != nil {
		return err
	}
	a.Digest = best.Digest
	var layers []string
	for _, l := range manifest.Layers {
		if err := checkHash(l.Digest); err != nil {
			return err
		}
		layers = append(layers, blobPath(l.Digest))
	}
	return a.setConfig(config, layers)
}

// walk gathers the image manifests below index.
func (a *Archive) walk(index v1.IndexManifest, depth int, budget *int, out *[]v1.Descriptor) error {
	if depth == maxIndexDepth {
		return fmt.Errorf("indexes nested more than %d deep", maxIndexDepth)
	}
	for _, d := range index.Manifests {
		if *budget--; *budget < 0 {
			return fmt.Errorf("more than %d manifests", maxManifests)
		}
		switch {
		case d.MediaType.IsImage():
			*out = append(*out, d)
		case d.MediaType.IsIndex():
			var inner v1.IndexManifest
			// An index may list images that were not saved with it,
			// and so may an index in an index.
			if err := a.blob(d, &inner); errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				return err
			}
			if err := a.walk(inner, depth+1, budget, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// readDocker reads what `docker save` wrote before it wrote OCI layouts.
func (a *Archive) readDocker() error {
	var images []dockerManifest
	if _, err := a.document("manifest.json", &images); err != nil {
		return err
	}
	if len(images) != 1 {
		return fmt.Errorf("manifest.json: %d images, want one: save the image by itself", len(images))
	}
	a.Names = images[0].RepoTags
	var config v1.ConfigFile
	digest, err := a.document(images[0].Config, &config)
	if err != nil {
		return err
	}
	a.Digest = digest
	return a.setConfig(config, images[0].Layers)
}

// setConfig takes the configuration and finds the layers named.
func (a *Archive) setConfig(c v1.ConfigFile, layers []string) error {
	if len(layers) > maxLayers {
		return fmt.Errorf("%d layers, more than %d", len(layers), maxLayers)
	}
	if len(layers) != len(c.RootFS.DiffIDs) {
		return fmt.Errorf("%d layers, but its configuration lists %d: the archive is damaged, or not of a container image", len(layers), len(c.RootFS.DiffIDs))
	}
	a.Config, a.diffIDs = c.Config, c.RootFS.DiffIDs
	a.Platform = v1.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant}
	for _, l := range layers {
		m, err := a.member(l)
		if err != nil {
			return err
		}
		a.layers = append(a.layers, m)
	}
	return nil
}

// pick chooses the image for this machine.
func pick(candidates []v1.Descriptor) (v1.Descriptor, error) {
	host := HostPlatform()
	best, rank := v1.Descriptor{}, -1
	for _, d := range candidates {
		r := 1 // an index of one image need not say what it is for
		if p := d.Platform; p != nil {
			switch {
			case p.OS == host.OS && p.Architecture == host.Architecture:
				r = 3
			case p.OS == host.OS:
				r = 2
			case p.OS == "unknown": // a build's attestation, no image
				continue
			default:
				r = 0
			}
		}
		if r > rank {
			best, rank = d, r
		}
	}
	if rank < 0 {
		return best, fmt.Errorf("%w: its index lists no image", ErrNotArchive)
	}
	return best, nil
}
