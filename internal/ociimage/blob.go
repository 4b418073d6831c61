package ociimage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// blob is content with its digest, made of bytes in memory and of files that
// are read only when it is written. So a layer is packed twice, once for its
// digest and once for the archive, and needs neither memory nor a copy on disk.
type blob struct {
	segments []segment
	digest   v1.Hash
	size     int64
}

// segment is a run of bytes: data, or size bytes of the file path.
type segment struct {
	data []byte
	path string
	size int64
}

// newBlob reads all segments once.
func newBlob(segments ...segment) (*blob, error) {
	b := &blob{segments: segments}
	h := sha256.New()
	if err := b.copyTo(h); err != nil {
		return nil, err
	}
	for _, s := range segments {
		b.size += s.size
	}
	b.digest = v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
	return b, nil
}

func bytesSegment(p []byte) segment { return segment{data: p, size: int64(len(p))} }

// jsonBlob is the encoding of v, which is one of the image format's documents.
func jsonBlob(v any) (*blob, error) {
	p, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return newBlob(bytesSegment(p))
}

// writeTo writes the content, and fails when it is no longer what the digest
// was taken of: an archive with a wrong digest would only be refused later, by
// someone else, with a worse message.
func (b *blob) writeTo(w io.Writer) error {
	h := sha256.New()
	if err := b.copyTo(io.MultiWriter(w, h)); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != b.digest.Hex {
		return fmt.Errorf("files changed while they were packed: build again when nothing writes to them")
	}
	return nil
}

func (b *blob) copyTo(w io.Writer) error {
	for _, s := range b.segments {
		if err := s.copyTo(w); err != nil {
			return err
		}
	}
	return nil
}

func (s segment) copyTo(w io.Writer) error {
	if s.path == "" {
		_, err := io.Copy(w, bytes.NewReader(s.data))
		return err
	}
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if n, err := io.Copy(w, io.LimitReader(f, s.size)); err != nil {
		return fmt.Errorf("read %s: %w", s.path, err)
	} else if n < s.size {
		return fmt.Errorf("read %s: it shrank from %d to %d bytes while it was packed: build again when nothing writes to it", s.path, s.size, n)
	}
	return nil
}
