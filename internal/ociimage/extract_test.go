package ociimage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// extractFile opens the archive and unpacks it.
func extractFile(t *testing.T, file string) string {
	t.Helper()
	a, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	dir := t.TempDir()
	if err := a.Extract(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tarOf is a tar of the given files.
func tarOf(t testing.TB, files ...tarFile) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Linkname: f.link, Typeflag: f.kind, Size: int64(len(f.data)), Mode: 0o644}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(f.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

type tarFile struct {
	name, data, link string
	kind             byte
}

func dir(name string) tarFile { return tarFile{name: name, kind: tar.TypeDir} }
func link(name, target string) tarFile {
	return tarFile{name: name, kind: tar.TypeSymlink, link: target}
}
func hard(name, target string) tarFile  { return tarFile{name: name, kind: tar.TypeLink, link: target} }
func file(name, content string) tarFile { return tarFile{name: name, data: content} }

func sum(p []byte) v1.Hash {
	h, _, err := v1.SHA256(bytes.NewReader(p))
	if err != nil {
		panic(err) // reading from memory
	}
	return h
}

// ociArchive is an OCI layout of the layers, each passed through pack.
func ociArchive(t *testing.T, pack func([]byte) []byte, layers ...[]byte) string {
	t.Helper()
	var members []tarFile
	add := func(p []byte) v1.Descriptor {
		members = append(members, file(blobPath(sum(p)), string(p)))
		return v1.Descriptor{MediaType: types.OCILayer, Digest: sum(p), Size: int64(len(p))}
	}
	config, manifest := v1.ConfigFile{OS: "linux", Architecture: HostPlatform().Architecture}, v1.Manifest{SchemaVersion: 2}
	for _, l := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, sum(l))
		manifest.Layers = append(manifest.Layers, add(pack(l)))
	}
	manifest.Config = add(mustJSON(t, config))
	d := add(mustJSON(t, manifest))
	d.MediaType = types.OCIManifestSchema1
	members = append(members, file("index.json", string(mustJSON(t, v1.IndexManifest{SchemaVersion: 2, Manifests: []v1.Descriptor{d}}))))
	return archiveFile(t, members...)
}

func archiveFile(t *testing.T, members ...tarFile) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(name, tarOf(t, members...), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	p, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func plain(p []byte) []byte { return p }

func gzipped(p []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(p)
	w.Close()
	return buf.Bytes()
}

func zstded(p []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // the options are right
	}
	defer w.Close()
	return w.EncodeAll(p, nil)
}

// contents are the files below dir as path=content, links as path->target.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if d.Type() == fs.ModeSymlink {
			target, err := os.Readlink(p)
			lines = append(lines, rel+"->"+target)
			return err
		}
		content, err := os.ReadFile(p)
		lines = append(lines, rel+"="+string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, " ")
}

func TestExtractAppliesLayers(t *testing.T) {
	base := []tarFile{dir("d/"), file("d/one", "1"), file("d/two", "2"), dir("e/"), file("e/x", "x"), link("l", "d/one")}
	for name, c := range map[string]struct {
		upper []tarFile
		want  string
	}{
		"nothing above":                       {nil, "d/one=1 d/two=2 e/x=x l->d/one"},
		"a file replaced":                     {[]tarFile{file("d/one", "new")}, "d/one=new d/two=2 e/x=x l->d/one"},
		"a file deleted":                      {[]tarFile{file("d/.wh.one", "")}, "d/two=2 e/x=x l->d/one"},
		"a directory deleted":                 {[]tarFile{file(".wh.d", "")}, "e/x=x l->d/one"},
		"a directory replaced by a file":      {[]tarFile{file("d", "f")}, "d=f e/x=x l->d/one"},
		"a directory emptied of what was":     {[]tarFile{file("d/new", "n"), file("d/.wh..wh..opq", "")}, "d/new=n e/x=x l->d/one"},
		"emptied first, filled after":         {[]tarFile{file("d/.wh..wh..opq", ""), file("d/new", "n")}, "d/new=n e/x=x l->d/one"},
		"a link replaced by a file":           {[]tarFile{file("l", "f")}, "d/one=1 d/two=2 e/x=x l=f"},
		"a hard link to a lower layer's file": {[]tarFile{hard("h", "d/one")}, "d/one=1 d/two=2 e/x=x h=1 l->d/one"},
		"parents that nobody listed":          {[]tarFile{file("./p/q/r", "r")}, "d/one=1 d/two=2 e/x=x l->d/one p/q/r=r"},
		"an absolute name":                    {[]tarFile{file("/abs", "a")}, "abs=a d/one=1 d/two=2 e/x=x l->d/one"},
		"devices are left out":                {[]tarFile{{name: "null", kind: tar.TypeChar}, {name: "pipe", kind: tar.TypeFifo}}, "d/one=1 d/two=2 e/x=x l->d/one"},
		"an absolute link":                    {[]tarFile{link("e/abs", "/d/one")}, "d/one=1 d/two=2 e/abs->../d/one e/x=x l->d/one"},
		"a link above the root":               {[]tarFile{link("e/up", "../../../etc/passwd")}, "d/one=1 d/two=2 e/up->../etc/passwd e/x=x l->d/one"},
		"a link that winds its way up":        {[]tarFile{link("w", "d/../../../etc")}, "d/one=1 d/two=2 e/x=x l->d/one w->etc"},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, pack := range map[string]func([]byte) []byte{"plain": plain, "gzip": gzipped, "zstd": zstded} {
				if got := contents(t, extractFile(t, ociArchive(t, pack, tarOf(t, base...), tarOf(t, c.upper...)))); got != c.want {
					t.Errorf("%s: got  %s\nwant %s", kind, got, c.want)
				}
			}
		})
	}
}

func TestExtractRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		files []tarFile
		want  string
	}{
		"a name that leads out":              {[]tarFile{file("../out", "x")}, "leads out"},
		"a name that leads out later":        {[]tarFile{file("a/../../out", "x")}, "leads out"},
		"a file through a link":              {[]tarFile{link("l", "d"), dir("d"), file("l/f", "x")}, "symbolic link"},
		"a file through a link that led out": {[]tarFile{link("l", "/"), file("l/out", "x")}, "symbolic link"},
		"a whiteout through a link":          {[]tarFile{link("l", "/"), file("l/.wh.out", "")}, "symbolic link"},
		"a whiteout of its own directory":    {[]tarFile{dir("d"), file("d/.wh..", "")}, "whiteout"},
		"a whiteout of the directory above":  {[]tarFile{dir("d"), file("d/.wh...", "")}, "whiteout"},
		"a hard link that leads out":         {[]tarFile{hard("h", "../../etc/passwd")}, "leads out"},
		"a hard link to a link":              {[]tarFile{link("l", "f"), hard("h", "l")}, "no file"},
		"a hard link through a link":         {[]tarFile{dir("d"), file("d/f", ""), link("l", "d"), hard("h", "l/f")}, "symbolic link"},
		"a file below a file":                {[]tarFile{file("f", ""), file("f/g", "")}, "below the file"},
		"a path without end":                 {[]tarFile{file(strings.Repeat("x/", maxPathDepth+1)+"f", "")}, "directories"},
		"a name without end":                 {[]tarFile{file(strings.Repeat("x", maxPathBytes+1), "")}, "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := Open(ociArchive(t, plain, tarOf(t, c.files...)))
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			outer := t.TempDir()
			inner := filepath.Join(outer, "inner")
			if err := os.Mkdir(inner, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(outer, "out"), []byte("safe"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := a.Extract(inner); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if p, err := os.ReadFile(filepath.Join(outer, "out")); err != nil || string(p) != "safe" {
				t.Errorf("a file outside is %q (%v)", p, err)
			}
		})
	}
}

func TestExtractIsBounded(t *testing.T) {
	many := make([]tarFile, 20)
	for i := range many {
		many[i] = file(fmt.Sprintf("f%d", i), "0123456789")
	}
	for name, c := range map[string]struct {
		bytes int64
		files int
		layer []byte
		want  string
	}{
		"in bytes":         {100, 100, tarOf(t, many...), "unpacks to more"},
		"in files":         {1000, 10, tarOf(t, many...), "more than"},
		"in directories":   {1000, 10, tarOf(t, file(strings.Repeat("d/", 20)+"f", "")), "more than"},
		"in empty padding": {10, 1, append(tarOf(t), make([]byte, 1<<20)...), "digest"},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := os.OpenRoot(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			x := &extraction{root: root, bytes: c.bytes, files: c.files}
			if err := x.verified(bytes.NewReader(c.layer), sum(c.layer).Hex); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestOpenReadsWhatDockerSaves(t *testing.T) {
	layer := tarOf(t, file("app.wasm", "wasm"))
	config := mustJSON(t, v1.ConfigFile{
		OS: "linux", Architecture: "arm64",
		Config: v1.Config{Entrypoint: []string{"/app.wasm"}},
		RootFS: v1.RootFS{DiffIDs: []v1.Hash{sum(layer), sum(layer)}},
	})
	name := archiveFile(t,
		file("abc/layer.tar", string(layer)), link("def/layer.tar", "../abc/layer.tar"), file("c.json", string(config)),
		file("manifest.json", `[{"Config":"c.json","RepoTags":["hello:v1"],"Layers":["abc/layer.tar","def/layer.tar"]}]`))
	a, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if a.Platform.Architecture != "arm64" || a.Names[0] != "hello:v1" || a.Config.Entrypoint[0] != "/app.wasm" {
		t.Errorf("read %+v", a)
	}
	if got := contents(t, extractFile(t, name)); got != "app.wasm=wasm" {
		t.Errorf("unpacked %s", got)
	}
}

func TestOpenPrefersThisMachinesImage(t *testing.T) {
	other := arm64
	if HostPlatform().Architecture == "arm64" {
		other = amd64
	}
	a := hello(t)
	a.Platforms = []v1.Platform{other, HostPlatform()}
	name, _ := appArchive(t, a)
	got, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if got.Platform.Architecture != HostPlatform().Architecture {
		t.Errorf("opened the image for %s", got.Platform)
	}
}

func TestOpenRefuses(t *testing.T) {
	layer := tarOf(t, file("f", "x"))
	good := ociArchive(t, plain, layer)
	damaged := func(old, replacement string) string {
		p, err := os.ReadFile(good)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(p, []byte(old)) {
			t.Fatalf("the archive has no %q", old)
		}
		name := filepath.Join(t.TempDir(), "damaged.tar")
		if err := os.WriteFile(name, bytes.ReplaceAll(p, []byte(old), []byte(replacement)), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	raw := func(content string) string {
		name := filepath.Join(t.TempDir(), "raw.tar")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	h := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	index := func(manifests string) string {
		return archiveFile(t, file("index.json", `{"schemaVersion":2,"manifests":[`+manifests+`]}`))
	}
	const manifestType = "application/vnd.oci.image.manifest.v1+json"
	for name, c := range map[string]struct{ file, want string }{
		"a file that is not there":       {"/does/not/exist", "no such file"},
		"text":                           {raw(strings.Repeat("hello, world ", 100)), "not an image archive"},
		"an empty tar":                   {archiveFile(t), "neither index.json nor manifest.json"},
		"a compressed archive":           {raw(string(gzipped(layer))), "compressed with gzip"},
		"an ordinary tar":                {archiveFile(t, file("a", "b")), "neither index.json nor manifest.json"},
		"an index of nothing":            {index(""), "lists no image"},
		"a manifest that is not there":   {index(`{"mediaType":"` + manifestType + `","digest":"` + h("0") + `","size":1}`), "incomplete"},
		"a digest that is a path":        {index(`{"mediaType":"` + manifestType + `","digest":"sha256:../../x","size":1}`), "non-hex"},
		"a digest of another kind":       {index(`{"mediaType":"` + manifestType + `","digest":"md5:` + strings.Repeat("0", 32) + `","size":1}`), "md5"},
		"no digest":                      {index(`{"mediaType":"` + manifestType + `"}`), "digest"},
		"a manifest that was changed":    {damaged(`"schemaVersion":2,"config"`, `"schemaVersion":3,"config"`), "damaged"},
		"several images":                 {index(`{"mediaType":"` + manifestType + `","digest":"` + h("0") + `","annotations":{"io.containerd.image.name":"a"}},{"mediaType":"` + manifestType + `","digest":"` + h("1") + `","annotations":{"io.containerd.image.name":"b"}}`), "several images (a, b)"},
		"several images, by docker":      {archiveFile(t, file("manifest.json", `[{},{}]`)), "2 images"},
		"layers that are not configured": {archiveFile(t, file("manifest.json", `[{"Config":"c","Layers":["l"]}]`), file("c", `{}`), file("l", "")), "lists 0"},
		"a link that goes round":         {archiveFile(t, link("index.json", "index.json")), "incomplete"},
		"a document without end":         {archiveFile(t, file("index.json", strings.Repeat(" ", maxDocument+1))), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := Open(c.file)
			if err == nil {
				a.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := Open(raw("text")); !errors.Is(err, ErrNotArchive) {
		t.Errorf("error %v does not wrap ErrNotArchive", err)
	}
}

func TestOpenBoundsNestedIndexes(t *testing.T) {
	var members []tarFile
	next := v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: sum(nil)}
	for range maxIndexDepth + 1 {
		p := mustJSON(t, v1.IndexManifest{SchemaVersion: 2, Manifests: []v1.Descriptor{next}})
		members = append(members, file(blobPath(sum(p)), string(p)))
		next = v1.Descriptor{MediaType: types.OCIImageIndex, Digest: sum(p)}
	}
	members = append(members, file("index.json", string(mustJSON(t, v1.IndexManifest{SchemaVersion: 2, Manifests: []v1.Descriptor{next}}))))
	if _, err := Open(archiveFile(t, members...)); err == nil || !strings.Contains(err.Error(), "nested") {
		t.Errorf("error %v, want one about nesting", err)
	}
}

func TestALayerThatWasChangedIsRefused(t *testing.T) {
	name := ociArchive(t, plain, tarOf(t, file("f", "content-a")))
	p, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.ReplaceAll(p, []byte("content-a"), []byte("content-b")), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.Extract(t.TempDir()); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v, want one about damage", err)
	}
}

// FuzzExtract unpacks arbitrary layers: whatever they hold, nothing outside the
// directory changes, and no link in it leads out.
func FuzzExtract(f *testing.F) {
	f.Add(tarOf(f, dir("d/"), file("d/f", "x"), link("l", "/d"), hard("h", "d/f"), file("d/.wh.f", "")))
	f.Add(tarOf(f, link("l", "../.."), file("l/out", "x")))
	f.Add(tarOf(f, file("../out", "x")))
	f.Add(gzipped(tarOf(f, file("f", "x"), file(".wh..wh..opq", ""))))
	f.Add(zstded(tarOf(f, file("f", "x"))))
	f.Fuzz(func(t *testing.T, layer []byte) {
		outer := t.TempDir()
		inner := filepath.Join(outer, "inner")
		if err := errors.Join(os.Mkdir(inner, 0o755), os.WriteFile(filepath.Join(outer, "out"), []byte("safe"), 0o600)); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(inner)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		x := &extraction{root: root, bytes: 1 << 20, files: 100}
		_ = x.verified(bytes.NewReader(layer), "") // never equal: what counts is what is on disk
		if got := strings.Join(names(t, outer), " "); got != "inner out" {
			t.Errorf("outside there is %s", got)
		}
		if p, _ := os.ReadFile(filepath.Join(outer, "out")); string(p) != "safe" {
			t.Errorf("a file outside is %q", p)
		}
		err = filepath.WalkDir(inner, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.Type() != fs.ModeSymlink {
				return err
			}
			rel, _ := filepath.Rel(inner, p)
			// os.Root tells an escape from a file that is not there.
			if _, err := root.Stat(filepath.ToSlash(rel)); err != nil && strings.Contains(err.Error(), "escapes") {
				t.Errorf("the link %s: %v", rel, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// FuzzOpen opens arbitrary files as archives.
func FuzzOpen(f *testing.F) {
	f.Add(tarOf(f, file("manifest.json", `[{"Config":"c","Layers":["l"]}]`), file("c", `{"rootfs":{"diff_ids":["`+sum(nil).String()+`"]}}`), file("l", "")))
	f.Add(tarOf(f, file("index.json", `{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"`+sum(nil).String()+`"}]}`), link("blobs/sha256/"+sum(nil).Hex, "../../index.json")))
	f.Fuzz(func(t *testing.T, p []byte) {
		name := filepath.Join(t.TempDir(), "a.tar")
		if err := os.WriteFile(name, p, 0o600); err != nil {
			t.Fatal(err)
		}
		if a, err := Open(name); err == nil {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
