//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// hosts are the registries the suite pulls from. One server is all of them:
// no two have a repository of the same name.
var hosts = []string{"ghcr.io", "registry.k8s.io"}

// shelf is a registry in memory.
type shelf struct {
	blobs   registry.BlobPutHandler
	handler http.Handler
}

func newShelf() *shelf {
	blobs := registry.NewInMemoryBlobHandler()
	quiet := log.New(io.Discard, "", 0)
	return &shelf{blobs.(registry.BlobPutHandler), registry.New(registry.WithBlobHandler(blobs), registry.Logger(quiet))}
}

// put makes an image known under name, REPOSITORY:TAG.
func (s *shelf) put(ctx context.Context, name string, index v1.ImageIndex) error {
	repo, tag, _ := strings.Cut(name, ":")
	list, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, d := range list.Manifests {
		img, err := index.Image(d.Digest)
		if err != nil {
			return err
		}
		if err := s.putImage(ctx, repo, img); err != nil {
			return fmt.Errorf("keep %s for %s: %w", name, d.Platform, err)
		}
	}
	return s.manifest(repo, tag, index)
}

func (s *shelf) putImage(ctx context.Context, repo string, img v1.Image) error {
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	config, err := partial.ConfigLayer(img)
	if err != nil {
		return err
	}
	for _, l := range append(layers, config) {
		digest, err := l.Digest()
		if err != nil {
			return err
		}
		text, err := l.Compressed()
		if err != nil {
			return err
		}
		if err := s.blobs.Put(ctx, repo, digest, text); err != nil {
			return err
		}
	}
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	return s.manifest(repo, digest.String(), img)
}

func (s *shelf) manifest(repo, ref string, m interface {
	RawManifest() ([]byte, error)
	MediaType() (types.MediaType, error)
}) error {
	text, err := m.RawManifest()
	if err != nil {
		return err
	}
	kind, err := m.MediaType()
	if err != nil {
		return err
	}
	r := httptest.NewRequest(http.MethodPut, "/v2/"+repo+"/manifests/"+ref, bytes.NewReader(text))
	r.Header.Set("Content-Type", string(kind))
	w := httptest.NewRecorder()
	if s.handler.ServeHTTP(w, r); w.Code != http.StatusCreated {
		return fmt.Errorf("keep %s:%s: %d %s", repo, ref, w.Code, w.Body)
	}
	return nil
}

// serve serves the shelf as hosts until close is called, and writes the
// certificate clients must trust to the file trust.
func (s *shelf) serve(trust string) (close func() error, err error) {
	cert, text, err := certificate()
	if err != nil {
		return nil, fmt.Errorf("make the registry's certificate: %w", err)
	}
	if err := os.WriteFile(trust, text, 0o644); err != nil {
		return nil, err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:443", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(os.Stderr, "registry: ", 0)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	return func() error {
		err := server.Close()
		if e := <-done; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}, nil
}

// certificate makes one that is its own authority, for a few hours.
func certificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	t := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "mayfly conformance"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		DNSNames:              hosts,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
