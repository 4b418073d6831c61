package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/internal/ociimage"
)

// linuxImage writes an image whose program is no WebAssembly.
func linuxImage(t *testing.T, file string) {
	t.Helper()
	image(t, file, "/bin/sh", []byte("\x7fELF and so on"), v1.Config{Entrypoint: []string{"/bin/sh"}, Env: []string{"EVIL=\x1b[2J"}})
}

// image writes an image with one file.
func image(t *testing.T, file, program string, content []byte, c v1.Config) {
	t.Helper()
	var tree ociimage.Tree
	if err := tree.AddBytes(program, content, 0o755); err != nil {
		t.Fatal(err)
	}
	img, err := ociimage.Build(ociimage.Spec{Root: tree, Config: c, Platforms: []v1.Platform{ociimage.HostPlatform()}})
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
	if code := doMain([]string{"inspect", "shell.tar", "-o", "json"}, nil, &stdout, &stderr); code != exitFailure || stderr.Len() > 0 {
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
	if code := doMain([]string{"inspect", "shell.tar"}, nil, &stdout, &stderr); code != exitFailure || stderr.Len() > 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), "EVIL=") || strings.ContainsRune(stdout.String(), 0x1b) {
		t.Errorf("printed %q", stdout.String())
	}
}

func TestInspectSeesTheTriggerOfAComponentInAnImage(t *testing.T) {
	handler, err := testdata.ReadFile("testdata/components/handler.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env           []string
		trigger, says string
	}{
		"that says nothing":     {nil, "http", "127.0.0.1:80"},
		"that says where":       {[]string{"PORT=9000"}, "http", "127.0.0.1:9000"},
		"that says otherwise":   {[]string{"MAYFLY_TRIGGER=command"}, "command", "set MAYFLY_TRIGGER=http"},
		"that makes no sense":   {[]string{"MAYFLY_TIMEOUT=soon"}, "", "MAYFLY_TIMEOUT"},
		"that wants a schedule": {[]string{"MAYFLY_TRIGGER=schedule=@every 5s"}, "", "does not run schedule triggers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			image(t, "i.tar", "/app.wasm", handler, v1.Config{Entrypoint: []string{"/app.wasm"}, Env: c.env})
			var stdout, stderr bytes.Buffer
			code := doMain([]string{"inspect", "i.tar", "-o", "json"}, nil, &stdout, &stderr)
			var i inspection
			if err := json.Unmarshal(stdout.Bytes(), &i); err != nil {
				t.Fatalf("%v: %s", err, stderr.String())
			}
			said := strings.Join(i.Listen, " ") + i.Reason
			if i.Trigger != c.trigger || !strings.Contains(said, c.says) || i.Runs != (code == 0) {
				t.Errorf("exit %d, trigger %q, %q; want %q and %q", code, i.Trigger, said, c.trigger, c.says)
			}
		})
	}
}

func TestTheEntrypointIsFoundWhereAContainerRuntimeLooks(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, c := range map[string]struct {
		program string
		config  v1.Config
		found   bool
	}{
		"an absolute path":            {"/app/hello.wasm", v1.Config{Entrypoint: []string{"/app/hello.wasm"}}, true},
		"a command in its place":      {"/hello.wasm", v1.Config{Cmd: []string{"/hello.wasm"}}, true},
		"below the working directory": {"/app/hello.wasm", v1.Config{Entrypoint: []string{"./hello.wasm"}, WorkingDir: "/app"}, true},
		"in the usual PATH":           {"/usr/bin/hello", v1.Config{Entrypoint: []string{"hello"}}, true},
		"in the image's PATH":         {"/opt/hello", v1.Config{Entrypoint: []string{"hello"}, Env: []string{"PATH=/a:/opt"}}, true},
		"not above the image":         {"/hello.wasm", v1.Config{Entrypoint: []string{"../../hello.wasm"}}, true},
		"not there":                   {"/hello.wasm", v1.Config{Entrypoint: []string{"/other.wasm"}}, false},
		"a bare name at the root":     {"/hello.wasm", v1.Config{Entrypoint: []string{"hello.wasm"}}, false},
		"no command at all":           {"/hello.wasm", v1.Config{}, false},
		"a directory":                 {"/app/hello.wasm", v1.Config{Entrypoint: []string{"/app"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			image(t, "i.tar", c.program, guests.Wasm("hello"), c.config)
			s, err := openSource("i.tar", io.Discard)
			if !c.found {
				if !errors.Is(err, errNotSidecar) {
					t.Errorf("error %v, want errNotSidecar", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(s.wasm, guests.Wasm("hello")) {
				t.Error("another file was read")
			}
			if err := s.close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(s.root); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the unpacked image is still there: %v", err)
			}
		})
	}
}
