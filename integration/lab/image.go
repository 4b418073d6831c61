//go:build linux

package lab

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/internal/ociimage"
)

// Images of ordinary containers, made of Debian packages.
const (
	BusyboxImage = "localhost/mayfly/busybox:1" // sh and the usual small tools, and the guest /hello.wasm
	MainImage    = "localhost/mayfly/main:1"    // the same with nginx and curl
)

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Pause builds the image of pods' first containers and returns its archive.
func (c *Cache) Pause() (string, error) {
	return c.archive("image-pause-2", PauseImage, v1.Config{Entrypoint: []string{"/pause"}}, c.pause)
}

func (c *Cache) pause(root string) error {
	return c.Progress.Do("build pause", func() error {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(root, "pause"),
			"github.com/mayfly-run/mayfly/integration/lab/pause")
		cmd.Env = goEnv(false)
		return output(cmd)
	})
}

// Busybox builds the image BusyboxImage and returns its archive.
func (c *Cache) Busybox() (string, error) {
	return c.archive("image-busybox-2", BusyboxImage, v1.Config{Env: []string{searchPath}, Cmd: []string{"sh"}}, func(root string) error {
		if err := c.busybox(root); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(root, "hello.wasm"), guests.Wasm("hello"), 0o644)
	})
}

// Main builds the image MainImage and returns its archive.
func (c *Cache) Main() (string, error) {
	return c.archive("image-main-1", MainImage, v1.Config{Env: []string{searchPath}, Cmd: []string{"nginx", "-g", "daemon off;"}}, c.main)
}

func (c *Cache) main(root string) error {
	if err := c.busybox(root); err != nil {
		return err
	}
	return c.Progress.Do("download nginx and curl", func() error {
		all, err := os.MkdirTemp("", "mayfly-debian-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(all)
		if err := c.download(all, true, "nginx", "curl"); err != nil {
			return err
		}
		t := tree{from: all, to: root}
		for _, f := range []string{"usr/sbin/nginx", "usr/bin/curl"} {
			if err := t.program(f); err != nil {
				return err
			}
		}
		return nginxFiles(root, all)
	})
}

// nginxFiles is a configuration for a container: it logs to the standard
// streams and serves one page on port 80.
func nginxFiles(root, all string) error {
	for _, d := range []string{"etc/nginx", "var/log/nginx", "var/lib/nginx", "srv", "run"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	if err := CopyFile(filepath.Join(all, "etc/nginx/mime.types"), filepath.Join(root, "etc/nginx/mime.types")); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"etc/passwd":     "root:x:0:0:root:/:/bin/sh\nwww-data:x:33:33::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n",
		"etc/group":      "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n",
		"srv/index.html": "nginx is the main container\n",
		"etc/nginx/nginx.conf": `worker_processes 1;
error_log stderr;
pid /run/nginx.pid;
events {}
http {
    include mime.types;
    access_log off;
    server { listen 80; root /srv; }
}
`,
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// busybox puts Debian's static busybox and a link for each of its tools into
// root.
func (c *Cache) busybox(root string) error {
	if err := c.install(needBusybox); err != nil {
		return err
	}
	for _, d := range []string{"bin", "tmp", "etc"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(root, "tmp"), 0o777|os.ModeSticky); err != nil {
		return err
	}
	if err := CopyFile(needBusybox.file, filepath.Join(root, "bin/busybox")); err != nil {
		return err
	}
	list, err := exec.Command(needBusybox.file, "--list").Output()
	if err != nil {
		return fmt.Errorf("list busybox's tools: %w", err)
	}
	for tool := range strings.FieldsSeq(string(list)) {
		if tool == "busybox" {
			continue
		}
		if err := os.Symlink("busybox", filepath.Join(root, "bin", tool)); err != nil {
			return err
		}
	}
	return nil
}

// archive is a cached image archive of what fill puts into a directory.
func (c *Cache) archive(entry, ref string, config v1.Config, fill func(root string) error) (string, error) {
	dir, err := c.Entry(entry, func(dir string) error {
		root, err := os.MkdirTemp("", "mayfly-image-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(root)
		if err := fill(root); err != nil {
			return err
		}
		image, err := ociimage.FromDir(root, config, ociimage.HostPlatform())
		if err != nil {
			return err
		}
		return WriteImage(filepath.Join(dir, "image.tar"), ref, image)
	})
	return filepath.Join(dir, "image.tar"), err
}

// WriteImage writes an image to an archive under the name ref.
func WriteImage(path, ref string, image *ociimage.Image) error {
	name, err := ociimage.ParseReference(ref)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(image.WriteArchive(f, name), f.Close())
}

// tree copies programs with the libraries they are linked to from one root
// directory to another.
type tree struct{ from, to string }

var libraryDirs = []string{"lib/*-linux-gnu", "usr/lib/*-linux-gnu", "lib64", "usr/lib64"}

func (t tree) program(name string) error {
	if exists(filepath.Join(t.to, name)) {
		return nil
	}
	from := filepath.Join(t.from, name)
	f, err := elf.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	needed, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			loader, err := io.ReadAll(p.Open())
			if err != nil {
				return err
			}
			interp := strings.Trim(string(loader), "\x00/")
			if err := CopyFile(filepath.Join(t.from, interp), filepath.Join(t.to, interp)); err != nil {
				return err
			}
		}
	}
	if err := CopyFile(from, filepath.Join(t.to, name)); err != nil {
		return err
	}
	for _, lib := range needed {
		if err := t.library(lib); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (t tree) library(lib string) error {
	for _, d := range libraryDirs {
		found, err := filepath.Glob(filepath.Join(t.from, d, lib))
		if err != nil {
			return err
		}
		for _, f := range found {
			name, err := filepath.Rel(t.from, f)
			if err != nil {
				return err
			}
			return t.program(name)
		}
	}
	return fmt.Errorf("library %s is in none of the packages", lib)
}

// CopyFile copies a file, following links, with its mode, and makes the directories that it is to be in.
func CopyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	st, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, st.Mode().Perm())
}

// Images builds all of the above and returns their archives.
func (c *Cache) Images() ([]string, error) {
	var all []string
	for _, build := range []func() (string, error){c.Pause, c.Busybox, c.Main} {
		archive, err := build()
		if err != nil {
			return nil, err
		}
		all = append(all, archive)
	}
	return all, nil
}

// Pack makes an image of an example as mayfly build would, which compiles it
// first and takes its time, and returns the archive. What starts the sidecar is
// said for core modules only: a component's exports say it.
func (e Example) Pack(dir string, port int) (string, error) {
	wasm, err := os.ReadFile(e.Module)
	if err != nil {
		return "", err
	}
	app := ociimage.App{Name: "time.wasm", Module: wasm, Port: port, Platforms: []v1.Platform{ociimage.HostPlatform()}}
	if strings.HasSuffix(e.Name, "-cgi") {
		app.Trigger = "http"
	}
	spec, err := app.Spec()
	if err != nil {
		return "", err
	}
	image, err := ociimage.Build(spec)
	if err != nil {
		return "", err
	}
	archive := filepath.Join(dir, "time-"+e.Name+".tar")
	return archive, WriteImage(archive, e.Image(), image)
}

// Native is the image of an ordinary program that does what the examples do.
const Native = "localhost/mayfly/native:1"

// NativeImage builds the image Native and returns its archive.
func NativeImage(ctx context.Context, dir string) (string, error) {
	root := filepath.Join(dir, "native")
	if err := Tool(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(root, "native"),
		"github.com/mayfly-run/mayfly/integration/lab/native"); err != nil {
		return "", err
	}
	image, err := ociimage.FromDir(root, v1.Config{Entrypoint: []string{"/native"}, User: ociimage.DefaultUser}, ociimage.HostPlatform())
	if err != nil {
		return "", err
	}
	archive := filepath.Join(dir, "native.tar")
	return archive, WriteImage(archive, Native, image)
}
