//go:build linux

package main

import (
	"context"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/mayfly-run/mayfly/internal/clusterbench"
	"github.com/mayfly-run/mayfly/internal/ociimage"
)

func TestWhatIsPushedIsWhatTheArchiveHas(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	prefix := strings.TrimPrefix(server.URL, "http://") + "/team"
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "program"), []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	image, err := ociimage.FromDir(root, v1.Config{Entrypoint: []string{"/program"}}, ociimage.HostPlatform())
	if err != nil {
		t.Fatal(err)
	}
	m := &maker{dir: t.TempDir(), registry: prefix}
	if err := m.write(clusterbench.Image{Role: clusterbench.RoleServer, Name: "server"}, image); err != nil {
		t.Fatal(err)
	}
	i := m.made[0]
	if !strings.HasPrefix(i.Ref, "localhost/mayfly/bench-server:") {
		t.Errorf("the archive is called %s", i.Ref)
	}
	if err := m.push(context.Background(), &i); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(i.Ref, prefix+"/bench-server:") {
		t.Errorf("it was pushed as %s", i.Ref)
	}
	tag, err := name.NewTag(i.Ref)
	if err != nil {
		t.Fatal(err)
	}
	pushed, err := remote.Image(tag)
	if err != nil {
		t.Fatal(err)
	}
	config, err := pushed.ConfigFile()
	if err != nil || len(config.Config.Entrypoint) != 1 || config.Config.Entrypoint[0] != "/program" {
		t.Errorf("%+v, %v", config, err)
	}
	if layers, err := pushed.Layers(); err != nil || len(layers) != 1 {
		t.Errorf("%d layers, %v", len(layers), err)
	}
}
