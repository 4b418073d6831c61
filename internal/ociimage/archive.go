package ociimage

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Annotations by which an importer finds the name of what it reads.
const (
	annotationImageName = "io.containerd.image.name"
	annotationRefName   = "org.opencontainers.image.ref.name"
)

// dockerManifest is one element of the manifest.json of a `docker save` archive.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// WriteArchive writes the image under the name ref as one tar: an OCI image
// layout, which containerd reads, and a manifest.json over the same blobs for a
// `docker load` that knows nothing else. Where the image is for several platforms
// such a docker gets the first.
func (i *Image) WriteArchive(w io.Writer, ref Reference) error {
	top := i.top
	top.Annotations = map[string]string{annotationImageName: ref.String(), annotationRefName: ref.Tag}
	first := i.manifests[0]
	documents := []struct {
		name    string
		content any
	}{
		{"oci-layout", map[string]string{"imageLayoutVersion": "1.0.0"}},
		{"index.json", v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{top}}},
		{"manifest.json", []dockerManifest{{
			Config: blobPath(first.config.digest), RepoTags: []string{ref.String()}, Layers: []string{blobPath(first.layer.digest)},
		}}},
	}
	tw := tar.NewWriter(w)
	for _, d := range documents {
		p, err := json.Marshal(d.content)
		if err != nil {
			return fmt.Errorf("write image archive: %s: %w", d.name, err)
		}
		if err := writeFile(tw, d.name, int64(len(p))); err != nil {
			return err
		}
		if _, err := tw.Write(p); err != nil {
			return fmt.Errorf("write image archive: %s: %w", d.name, err)
		}
	}
	for _, dir := range []string{"blobs/", "blobs/sha256/"} {
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755, ModTime: time.Unix(0, 0)}); err != nil {
			return fmt.Errorf("write image archive: %s: %w", dir, err)
		}
	}
	for _, b := range i.blobs {
		if err := writeFile(tw, blobPath(b.digest), b.size); err != nil {
			return err
		}
		if err := b.writeTo(tw); err != nil {
			return fmt.Errorf("write image archive: %w", err)
		}
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("write image archive: %w", err)
	}
	return nil
}

func writeFile(tw *tar.Writer, name string, size int64) error {
	err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, ModTime: time.Unix(0, 0)})
	if err != nil {
		return fmt.Errorf("write image archive: %s: %w", name, err)
	}
	return nil
}

func blobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
