package ociimage

import (
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Spec is what an image is made of.
type Spec struct {
	Root   Tree
	Config v1.Config
	// Platforms that the image says it is for; the content is the same for
	// all. One makes an image, several make an index of images.
	Platforms []v1.Platform
}

// Image is a packed image, ready to be written.
type Image struct {
	top       v1.Descriptor   // what a name points to: the manifest, or the index of several
	blobs     []*blob         // all of it, each once, top last
	manifests []platformImage // one for each platform, in the order of the Spec
}

type platformImage struct {
	manifest, config, layer *blob
}

// Digest is the image's identity: of the manifest, or of the index.
func (i *Image) Digest() v1.Hash { return i.top.Digest }

// Size is the number of bytes of all content, as in an archive or a registry.
func (i *Image) Size() int64 {
	var n int64
	for _, b := range i.blobs {
		n += b.size
	}
	return n
}

// FromDir packs the directory dir as the root file system of an ordinary Linux
// image.
func FromDir(dir string, c v1.Config, platforms ...v1.Platform) (*Image, error) {
	s := Spec{Config: c, Platforms: platforms}
	if err := s.Root.Add("/", dir); err != nil {
		return nil, err
	}
	return Build(s)
}

// Build packs s. Files are read here, and again when the archive is written.
func Build(s Spec) (*Image, error) {
	if len(s.Platforms) == 0 {
		return nil, errors.New("build image: no platform: name one, as in linux/amd64")
	}
	layer, err := s.Root.layer()
	if err != nil {
		return nil, fmt.Errorf("build image: %w", err)
	}
	img := &Image{blobs: []*blob{layer}}
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for _, p := range s.Platforms {
		m, err := buildManifest(p, s.Config, layer)
		if err != nil {
			return nil, fmt.Errorf("build image for %s: %w", p, err)
		}
		img.manifests = append(img.manifests, m)
		img.blobs = append(img.blobs, m.config, m.manifest)
		index.Manifests = append(index.Manifests, v1.Descriptor{
			MediaType: types.OCIManifestSchema1, Digest: m.manifest.digest, Size: m.manifest.size, Platform: &p,
		})
	}
	if len(index.Manifests) == 1 {
		img.top = index.Manifests[0]
		return img, nil
	}
	top, err := jsonBlob(index)
	if err != nil {
		return nil, fmt.Errorf("build image: %w", err)
	}
	img.blobs = append(img.blobs, top)
	img.top = v1.Descriptor{MediaType: types.OCIImageIndex, Digest: top.digest, Size: top.size}
	return img, nil
}

func buildManifest(p v1.Platform, c v1.Config, layer *blob) (platformImage, error) {
	epoch := v1.Time{Time: time.Unix(0, 0).UTC()}
	config, err := jsonBlob(v1.ConfigFile{
		Architecture: p.Architecture,
		OS:           p.OS,
		Variant:      p.Variant,
		Created:      epoch,
		Config:       c,
		RootFS:       v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{layer.digest}},
		History:      []v1.History{{Created: epoch, CreatedBy: "mayfly build"}},
	})
	if err != nil {
		return platformImage{}, err
	}
	manifest, err := jsonBlob(v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.OCIManifestSchema1,
		Config:        v1.Descriptor{MediaType: types.OCIConfigJSON, Digest: config.digest, Size: config.size},
		// Uncompressed: an archive is read on the spot, and what a
		// compressor emits may differ from one version to the next.
		Layers: []v1.Descriptor{{MediaType: types.OCIUncompressedLayer, Digest: layer.digest, Size: layer.size}},
	})
	return platformImage{manifest: manifest, config: config, layer: layer}, err
}
