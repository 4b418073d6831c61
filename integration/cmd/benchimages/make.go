//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/clusterbench"
	"github.com/mayfly-run/mayfly/internal/ociimage"
)

// local is what names begin with that no node can pull.
const local = "localhost/mayfly"

// maker makes images.
type maker struct {
	dir, registry string
	platform      v1.Platform
	progress      *lab.Progress
	made          []clusterbench.Image
}

// all makes every image there can be here. What needs a tool that is not here is left out, and said.
func (m *maker) all(ctx context.Context) error {
	for _, p := range []struct {
		i       clusterbench.Image
		program string
		config  v1.Config
	}{
		{clusterbench.Image{Role: clusterbench.RoleAgent, Name: "agent", Title: "main container"}, "integration/benchagent",
			v1.Config{Entrypoint: []string{"/agent"}, Cmd: []string{"main"}, Env: []string{"PATH=/"}, User: ociimage.DefaultUser}},
		{clusterbench.Image{Role: clusterbench.RoleServer, Name: "server", Title: "Go server"}, "integration/lab/native",
			v1.Config{Entrypoint: []string{"/server"}, User: ociimage.DefaultUser}},
	} {
		if err := m.program(ctx, p.i, p.program, p.config); err != nil {
			return err
		}
	}
	components, lacking := lab.Components(m.progress, "c", "rust", "go", "js")
	for _, l := range lacking {
		fmt.Fprintln(os.Stderr, "benchimages: left out", l)
	}
	for _, e := range components {
		if err := m.component(e); err != nil {
			return err
		}
	}
	if m.platform.Architecture != runtime.GOARCH {
		fmt.Fprintln(os.Stderr, "benchimages: left out nginx: it is made of this machine's packages")
		return nil
	}
	return m.nginx()
}

// program makes an image of a program of this repository.
func (m *maker) program(ctx context.Context, i clusterbench.Image, source string, config v1.Config) error {
	return m.progress.Do("build "+i.Name, func() error {
		root, err := os.MkdirTemp("", "mayfly-bench-image-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(root)
		env := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + m.platform.Architecture}
		if err := lab.Tool(ctx, env, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(root, i.Name), "./"+source); err != nil {
			return err
		}
		image, err := ociimage.FromDir(root, config, m.platform)
		if err != nil {
			return err
		}
		return m.write(i, image)
	})
}

// component makes an image of a sidecar, as mayfly build does.
func (m *maker) component(e lab.Example) error {
	wasm, err := os.ReadFile(e.Module)
	if err != nil {
		return err
	}
	spec, err := ociimage.App{Name: "time.wasm", Module: wasm, Port: 8080, Platforms: []v1.Platform{m.platform}}.Spec()
	if err != nil {
		return err
	}
	image, err := ociimage.Build(spec)
	if err != nil {
		return err
	}
	return m.write(clusterbench.Image{Role: clusterbench.RoleGuest, Name: e.Name, Title: e.Title}, image)
}

// nginx takes the image that the tests have.
func (m *maker) nginx() error {
	cache, err := lab.OpenCache(m.progress)
	if err != nil {
		return err
	}
	archive, err := cache.Main()
	if err != nil {
		return err
	}
	i := clusterbench.Image{Role: clusterbench.RoleNginx, Name: "nginx", Title: "nginx", Ref: lab.MainImage, File: "nginx.tar"}
	if err := lab.CopyFile(archive, filepath.Join(m.dir, i.File)); err != nil {
		return err
	}
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	i.Digest = digest.String()
	m.made = append(m.made, i)
	return err
}

// write writes an archive. Its content is in the tag: a node cannot have another of the same name.
func (m *maker) write(i clusterbench.Image, image *ociimage.Image) error {
	i.Digest, i.File = image.Digest().String(), i.Name+".tar"
	i.Ref = ref(i, local)
	m.made = append(m.made, i)
	return lab.WriteImage(filepath.Join(m.dir, i.File), i.Ref, image)
}

// ref is the name of an image whose digest is known.
func ref(i clusterbench.Image, prefix string) string {
	_, hex, _ := strings.Cut(i.Digest, ":")
	return fmt.Sprintf("%s/bench-%s:%.12s", prefix, i.Name, hex)
}

// push brings an archive's image to the registry, and gives it the name there.
func (m *maker) push(ctx context.Context, i *clusterbench.Image) error {
	image, err := tarball.ImageFromPath(filepath.Join(m.dir, i.File), nil)
	if err != nil {
		return err
	}
	i.Ref = ref(*i, m.registry)
	to, err := name.NewTag(i.Ref)
	if err != nil {
		return fmt.Errorf("-registry %s: %w", m.registry, err)
	}
	if err := remote.Write(to, image, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return fmt.Errorf("%w: docker login says who you are", err)
	}
	return nil
}
