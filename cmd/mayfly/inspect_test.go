package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/mayfly-run/mayfly/internal/ociimage"
)

// linuxImage writes an image whose program is no WebAssembly.
func linuxImage(t *testing.T, file string) {
	t.Helper()
	var tree ociimage.Tree
	if err := tree.AddBytes("/bin/sh", []byte("\x7fELF and so on"), 0o755); err != nil {
		t.Fatal(err)
	}
	img, err := ociimage.Build(ociimage.Spec{
		Root:      tree,
		Config:    v1.Config{Entrypoint: []string{"/bin/sh"}, Env: []string{"EVIL=\x1b[2J"}},
		Platforms: []v1.Platform{ociimage.HostPlatform()},
	})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := ociimage.ParseReference("shell:v1")
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := img.WriteArchive(&buf, ref); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestInspectShowsAnOrdinaryImageToo(t *testing.T) {
	t.Chdir(t.TempDir())
	linuxImage(t, "shell.tar")
	var stdout, stderr bytes.Buffer
	if code := doMain([]string{"inspect", "shell.tar", "-o", "json"}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	var i inspection
	if err := json.Unmarshal(stdout.Bytes(), &i); err != nil {
		t.Fatal(err)
	}
	if i.Runs || !strings.Contains(i.Reason, "ordinary Linux program") {
		t.Errorf("runs %v, because %q", i.Runs, i.Reason)
	}
	if i.Image == nil || i.Image.Names[0] != "docker.io/library/shell:v1" {
		t.Errorf("image %+v", i.Image)
	}
}

func TestInspectDoesNotPassEscapesToTheTerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	linuxImage(t, "shell.tar")
	var stdout, stderr bytes.Buffer
	if code := doMain([]string{"inspect", "shell.tar"}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), "EVIL=") || strings.ContainsRune(stdout.String(), 0x1b) {
		t.Errorf("printed %q", stdout.String())
	}
}
