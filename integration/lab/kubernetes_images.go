//go:build linux

package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// testImage is an image Kubernetes' own tests name. What is made here has the
// name, the programs and the settings that are tested with, not the base: that
// is Debian's static busybox everywhere.
type testImage struct {
	name   string // with its tag, below prefix
	config v1.Config
	fill   func(c *Cache, k *KubernetesTests, root string) error
}

const testImages = "registry.k8s.io/"

// all are those that tests of nodes use, in the versions of KubernetesVersion.
var all = []testImage{
	{"pause:3.10.2", v1.Config{Entrypoint: []string{"/pause"}}, func(c *Cache, _ *KubernetesTests, root string) error {
		return c.pause(root)
	}},
	{"e2e-test-images/busybox:1.37.0-1", v1.Config{Cmd: []string{"sh"}}, plain},
	{"e2e-test-images/nonroot:1.5", v1.Config{Cmd: []string{"sh"}, User: "1234"}, plain},
	{"e2e-test-images/nonewprivs:1.4", v1.Config{Cmd: []string{"nnp"}}, setuid},
	{"e2e-test-images/agnhost:2.63.0", v1.Config{Entrypoint: []string{"/agnhost"}, Cmd: []string{"pause"}}, agnhost},
	{"e2e-test-images/agnhost:2.55", v1.Config{Entrypoint: []string{"/agnhost"}, Cmd: []string{"pause"}}, agnhost},
	{"e2e-test-images/glibc-dns-testing:2.0.0", v1.Config{Cmd: []string{"sh"}}, glibc},
	{"e2e-test-images/nginx:1.15-4", v1.Config{Cmd: []string{"nginx", "-g", "daemon off;"}}, (*Cache).testNginx},
	{"e2e-test-images/nginx:1.27-0", v1.Config{Cmd: []string{"nginx", "-g", "daemon off;"}}, (*Cache).testNginx},
}

// Images builds the images the tests use, under the names they use, and returns
// their archives.
func (k *KubernetesTests) Images(c *Cache) ([]string, error) {
	var archives []string
	for _, i := range all {
		i.config.Env = []string{searchPath}
		entry := "image-kubernetes-3-" + strings.NewReplacer("/", "-", ":", "-").Replace(i.name)
		a, err := c.archive(entry, testImages+i.name, i.config, func(root string) error { return i.fill(c, k, root) })
		if err != nil {
			return nil, err
		}
		archives = append(archives, a)
	}
	return archives, nil
}

// plain is busybox with the one account everything has.
func plain(c *Cache, _ *KubernetesTests, root string) error {
	if err := c.busybox(root); err != nil {
		return err
	}
	return accounts(root, "root:x:0:0:root:/root:/bin/sh\n", "root:x:0:\n")
}

func accounts(root, users, groups string) error {
	return errors.Join(os.WriteFile(filepath.Join(root, "etc/passwd"), []byte(users), 0o644),
		os.WriteFile(filepath.Join(root, "etc/group"), []byte(groups), 0o644))
}

// setuid has a program that says as whom it runs.
func setuid(c *Cache, k *KubernetesTests, root string) error {
	program := filepath.Join(root, "usr/local/bin/nnp")
	return errors.Join(plain(c, k, root), CopyFile(k.Program("nnp"), program), os.Chmod(program, 0o755|os.ModeSetuid|os.ModeSetgid))
}

// glibc has a program that asks for names as the C library of most images does.
func glibc(c *Cache, k *KubernetesTests, root string) error {
	if err := plain(c, k, root); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(root, "bin/hostname")); err != nil {
		return err
	}
	if err := c.debianPrograms(root, map[string]string{"bin/hostname": "hostname", "bin/dash": "dash"}); err != nil {
		return err
	}
	return relink(root, "sh", "dash")
}

// relink makes another program the one that a name in /bin stands for.
func relink(root, link, to string) error {
	link = filepath.Join(root, "bin", link)
	return errors.Join(os.Remove(link), os.Symlink(to, link))
}

// debianPrograms puts programs into root that packages have.
func (c *Cache) debianPrograms(root string, packages map[string]string) error {
	all, err := os.MkdirTemp("", "mayfly-debian-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(all)
	if err := c.download(all, true, slices.Collect(maps.Values(packages))...); err != nil {
		return err
	}
	t := tree{from: all, to: root}
	for program := range packages {
		if err := t.program(program); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cache) testNginx(_ *KubernetesTests, root string) error { return c.main(root) }

// agnhost is the program most tests run, with what they call beside it: curl, a
// real bash, a second name, accounts that an image can have and a pod need not,
// a certificate and a registry.
func agnhost(c *Cache, k *KubernetesTests, root string) error {
	if err := plain(c, k, root); err != nil {
		return err
	}
	if err := accounts(root, "root:x:0:0:root:/root:/bin/sh\nuser-defined-in-image:x:1000:1000::/:/bin/sh\n",
		"root:x:0:\nuser-defined-in-image:x:1000:\ngroup-defined-in-image:x:50000:user-defined-in-image\n"); err != nil {
		return err
	}
	for _, f := range []string{"agnhost", "localhost.crt", "localhost.key"} {
		if err := CopyFile(k.Program(f), filepath.Join(root, f)); err != nil {
			return err
		}
	}
	if err := os.Symlink("agnhost", filepath.Join(root, "agnhost-2")); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(root, "uploads"), 0o755); err != nil {
		return err
	}
	if err := c.debianPrograms(root, map[string]string{"usr/bin/curl": "curl", "bin/bash": "bash", "bin/nc.openbsd": "netcat-openbsd", "bin/dash": "dash"}); err != nil {
		return err
	}
	// Busybox's nc knows no UDP, and Debian's busybox as a shell prefers its
	// own tools to those on the path.
	for link, to := range map[string]string{"nc": "nc.openbsd", "sh": "dash"} {
		if err := relink(root, link, to); err != nil {
			return err
		}
	}
	pause, err := c.Pause()
	if err != nil {
		return err
	}
	image, err := tarball.ImageFromPath(pause, nil)
	if err != nil {
		return err
	}
	if err := shelve(image, filepath.Join(root, "var/registry/pause"), "testing"); err != nil {
		return fmt.Errorf("make agnhost's registry: %w", err)
	}
	return nil
}

// shelve writes an image as agnhost's registry has it: a file for each blob and
// manifest, in a directory for each digest, and one that says which digest a
// tag is.
func shelve(image v1.Image, dir, tag string) error {
	at := func(kind string, digest v1.Hash) string {
		return filepath.Join(dir, kind, digest.Algorithm, digest.Hex[:2], digest.Hex, "data")
	}
	write := func(path string, r io.Reader) error {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		return errors.Join(err, f.Close())
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	manifest, err := image.RawManifest()
	if err != nil {
		return err
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	configDigest, err := image.ConfigName()
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	if err := errors.Join(
		write(at("manifests", digest), bytes.NewReader(manifest)),
		write(filepath.Join(dir, "manifests", tag), strings.NewReader(digest.String())),
		write(at("blobs", configDigest), bytes.NewReader(config))); err != nil {
		return err
	}
	for _, l := range layers {
		d, err := l.Digest()
		if err != nil {
			return err
		}
		text, err := l.Compressed()
		if err != nil {
			return err
		}
		if err := errors.Join(write(at("blobs", d), text), text.Close()); err != nil {
			return err
		}
	}
	return nil
}
