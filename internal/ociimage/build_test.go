package ociimage

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var (
	amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = v1.Platform{OS: "linux", Architecture: "arm64"}
)

// hello is an app with all there is to say about one.
func hello(t *testing.T) App {
	t.Helper()
	a := App{
		Name: "hello.wasm", Module: []byte("\x00asm\x01\x00\x00\x00"),
		Trigger: "http", Port: 9000, Env: []string{"GREETING=hi", "MAYFLY_TIMEOUT=5s"},
		Labels: map[string]string{"team": "blue"}, Platforms: []v1.Platform{amd64},
	}
	if err := a.Root.AddBytes("/data/greeting.txt", []byte("hi\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	return a
}

// writeArchive builds s and writes it to a file.
func writeArchive(t *testing.T, s Spec) (string, *Image) {
	t.Helper()
	img, err := Build(s)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := ParseReference("hello:v1")
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := img.WriteArchive(&buf, ref); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, img
}

func appArchive(t *testing.T, a App) (string, *Image) {
	t.Helper()
	s, err := a.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return writeArchive(t, s)
}

// untar unpacks an archive with no regard for safety: it is our own.
func untar(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	members, err := listMembers(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, m := range members {
		p := make([]byte, m.size)
		if _, err := f.ReadAt(p, m.offset); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), p, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAnotherLibraryFindsTheLayoutValid(t *testing.T) {
	for name, platforms := range map[string][]v1.Platform{"one platform": {amd64}, "two platforms": {amd64, arm64}} {
		t.Run(name, func(t *testing.T) {
			a := hello(t)
			a.Platforms = platforms
			file, built := appArchive(t, a)
			index, err := layout.ImageIndexFromPath(untar(t, file))
			if err != nil {
				t.Fatal(err)
			}
			// Fast: the library's full check takes each layer for a gzip stream.
			if err := validate.Index(index, validate.Fast); err != nil {
				t.Error(err)
			}
			m, err := index.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			if len(m.Manifests) != 1 || m.Manifests[0].Digest != built.Digest() {
				t.Errorf("index.json lists %v, want the image %s", m.Manifests, built.Digest())
			}
			if got := m.Manifests[0].Annotations["io.containerd.image.name"]; got != "docker.io/library/hello:v1" {
				t.Errorf("the image's name for containerd is %q", got)
			}
		})
	}
}

func TestAnotherLibraryReadsTheDockerSide(t *testing.T) {
	a := hello(t)
	a.Platforms = []v1.Platform{arm64, amd64}
	file, _ := appArchive(t, a)
	img, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c.OS != "linux" || c.Architecture != "arm64" {
		t.Errorf("the docker side is for %s/%s, want the first platform, linux/arm64", c.OS, c.Architecture)
	}
	if !c.Created.Equal(time.Unix(0, 0)) {
		t.Errorf("created %v, want the epoch", c.Created)
	}
}

func TestAppConfig(t *testing.T) {
	s, err := hello(t).Spec()
	if err != nil {
		t.Fatal(err)
	}
	c := s.Config
	if c.User != "65532:65532" {
		t.Errorf("user %q", c.User)
	}
	if got := strings.Join(c.Entrypoint, " "); got != "/hello.wasm" {
		t.Errorf("entrypoint %q", got)
	}
	if got, want := strings.Join(c.Env, " "), "MAYFLY_TRIGGER=http PORT=9000 GREETING=hi MAYFLY_TIMEOUT=5s"; got != want {
		t.Errorf("environment %q, want %q", got, want)
	}
	if _, ok := c.ExposedPorts["9000/tcp"]; !ok || len(c.ExposedPorts) != 1 {
		t.Errorf("exposed ports %v, want 9000/tcp", c.ExposedPorts)
	}
	for k, v := range map[string]string{"run.mayfly.trigger": "http", "run.mayfly.port": "9000", "team": "blue", "org.opencontainers.image.title": "hello"} {
		if c.Labels[k] != v {
			t.Errorf("label %s=%q, want %q", k, c.Labels[k], v)
		}
	}
}

func TestEnvironmentGivenWinsOverDefaults(t *testing.T) {
	a := hello(t)
	a.Env = []string{"PORT=7000", "MAYFLY_TRIGGER=command"}
	s, err := a.Spec()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(s.Config.Env, " "), "MAYFLY_TRIGGER=command PORT=7000"; got != want {
		t.Errorf("environment %q, want %q", got, want)
	}
	if s.Config.Labels[LabelPort] != "7000" || s.Config.Labels[LabelTrigger] != "command" {
		t.Errorf("labels %v do not follow the environment", s.Config.Labels)
	}
}

func TestTheSameInputGivesTheSameArchive(t *testing.T) {
	// The same files at other places, of other ages and read in another order.
	var archives []string
	for _, age := range []time.Duration{0, 1000 * time.Hour} {
		dir := t.TempDir()
		for _, name := range []string{"b/2.txt", "a/1.txt", "c.txt"} {
			p := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, []byte(name), 0o644); err != nil {
				t.Fatal(err)
			}
			old := time.Now().Add(-age)
			if err := os.Chtimes(p, old, old); err != nil {
				t.Fatal(err)
			}
		}
		a := hello(t)
		if err := a.Root.Add("/", dir); err != nil {
			t.Fatal(err)
		}
		file, _ := appArchive(t, a)
		p, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, string(p))
	}
	if archives[0] != archives[1] {
		t.Error("the archives differ")
	}
}

// The digest is pinned: it may only change together with what an image holds,
// knowingly, for then every image of everybody changes.
func TestTheDigestStaysFromOneVersionToTheNext(t *testing.T) {
	_, img := appArchive(t, hello(t))
	const want = "sha256:8276df9708181ec519beced24c2e0a49487c1501d63f1218e9f6d291f3e4514a"
	if got := img.Digest().String(); got != want {
		t.Errorf("digest %s, was %s", got, want)
	}
}

func TestAChangedFileIsNoticed(t *testing.T) {
	for name, later := range map[string]string{"other content": "bbbb", "less content": "a"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(file, []byte("aaaa"), 0o600); err != nil {
				t.Fatal(err)
			}
			s := Spec{Platforms: []v1.Platform{amd64}}
			if err := s.Root.Add("/f", file); err != nil {
				t.Fatal(err)
			}
			img, err := Build(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(later), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := img.WriteArchive(&bytes.Buffer{}, Reference{"docker.io/library/x", "v1"}); err == nil || !strings.Contains(err.Error(), "while") {
				t.Errorf("error %v, want one about the change", err)
			}
		})
	}
}

func TestFromDirKeepsModesAndLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/busybox"), []byte("elf"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("busybox", filepath.Join(dir, "bin/sh")); err != nil {
		t.Fatal(err)
	}
	img, err := FromDir(dir, v1.Config{Entrypoint: []string{"/bin/sh"}}, HostPlatform())
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := img.WriteArchive(&buf, Reference{"docker.io/library/busybox", "1"}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "i.tar")
	if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out := extractFile(t, file)
	info, err := os.Stat(filepath.Join(out, "bin/busybox"))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o755 {
		t.Errorf("mode %v, want 0755", info.Mode())
	}
	if target, err := os.Readlink(filepath.Join(out, "bin/sh")); err != nil || target != "busybox" {
		t.Errorf("link to %q (%v), want busybox", target, err)
	}
}

func TestTreeRefuses(t *testing.T) {
	var tree Tree
	if err := tree.AddBytes("/a", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ guest, want string }{
		"the root as a file":     {"/", "no path"},
		"a file below a file":    {"/a/b", "is a file"},
		"a name of a whiteout":   {"/d/.wh.x", "deletion"},
		"a way out ends at root": {"/../..", "no path"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tree.AddBytes(c.guest, nil, 0o644); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestParseReference(t *testing.T) {
	for in, want := range map[string]string{
		"hello:v1":                    "docker.io/library/hello:v1",
		"hello":                       "docker.io/library/hello:latest",
		"me/hello:v1":                 "docker.io/me/hello:v1",
		"docker.io/hello:v1":          "docker.io/library/hello:v1",
		"docker.io/library/hello:v1":  "docker.io/library/hello:v1",
		"index.docker.io/me/hello:v1": "docker.io/me/hello:v1",
		"localhost:5000/hello:v1":     "localhost:5000/hello:v1",
		"localhost/hello:v1":          "localhost/hello:v1",
		"registry.example/a/b/c:v1":   "registry.example/a/b/c:v1",
	} {
		if got, err := ParseReference(in); err != nil || got.String() != want {
			t.Errorf("%s is %s (%v), want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "Hello:v1", "hello:", "-a:v1", "a:.v1", "https://x/y:v1", "hello:v 1", "a@sha256:" + strings.Repeat("0", 64), "hello:" + strings.Repeat("v", 129), "../x:v1"} {
		if got, err := ParseReference(in); err == nil {
			t.Errorf("%q is taken as %s", in, got)
		}
	}
}

func TestParsePlatform(t *testing.T) {
	for in, want := range map[string]string{
		"linux/amd64": "linux/amd64", "linux/arm64": "linux/arm64", "linux/arm/v6": "linux/arm/v6", "linux/arm/v7": "linux/arm/v7",
		"linux/riscv64": "linux/riscv64", "linux/s390x": "linux/s390x", "linux/386": "linux/386",
		"linux/arm": "linux/arm/v7", "linux/arm64/v8": "linux/arm64",
	} {
		if got, err := ParsePlatform(in); err != nil || got.String() != want {
			t.Errorf("%s is %s (%v), want %s", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "linux", "wasi/wasm", "linux/", "linux/a/b/c", "darwin/arm64", "linux/amd64:1",
		"linux/adm64", "linux/riscv", "linux/AMD64", "linux/arm/v9", "linux/s390x/v1", "linux/arm64/",
	} {
		if got, err := ParsePlatform(in); err == nil {
			t.Errorf("%q is taken as %s", in, got)
		}
	}
}
