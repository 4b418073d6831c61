package guests

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const maxSize = 100 << 10

// notWasm are the guests that are bad from their first byte on.
var notWasm = []string{"empty", "not-wasm"}

func TestEveryModuleIsSmallAndStartsAsItShould(t *testing.T) {
	for _, name := range Names() {
		wasm := Wasm(name)
		if len(wasm) > maxSize {
			t.Errorf("%s has %d bytes, more than %d: is it stripped?", name, len(wasm), maxSize)
		}
		want := !slices.Contains(notWasm, name)
		if got := bytes.HasPrefix(wasm, []byte("\x00asm")); got != want {
			t.Errorf("%s starts with \\0asm: %v, want %v", name, got, want)
		}
	}
}

func TestEverySourceHasItsModuleAndEveryModuleItsSource(t *testing.T) {
	madeByMake := []string{"component", "empty", "not-wasm", "truncated"}
	sources := madeByMake
	for _, pattern := range []string{"testdata/*.c", "testdata/*.wat"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			sources = append(sources, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
		}
	}
	slices.Sort(sources)
	if names := Names(); !slices.Equal(names, sources) {
		t.Errorf("modules: %v\nsources: %v", names, sources)
	}
}

func TestNoModuleTellsWhereItWasBuilt(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	// Any rooted path of two or more parts, less what a guest itself asks for.
	path := regexp.MustCompile(`(^|[^/\w.])/[a-z][\w.+-]*(/[\w.+-]+)+`)
	asked := []string{"/etc/hostname", "/tmp/mayfly"}
	for _, name := range Names() {
		wasm := Wasm(name)
		if bytes.Contains(wasm, []byte(here)) {
			t.Errorf("%s holds the path %s", name, here)
		}
		for _, found := range path.FindAll(wasm, -1) {
			at := string(found[bytes.IndexByte(found, '/'):])
			if name != "not-wasm" && !slices.Contains(asked, at) {
				t.Errorf("%s holds the path %s", name, at)
			}
		}
	}
}

func TestTheReadmeListsEveryGuest(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	modules, rest, _ := bytes.Cut(readme, []byte("\n## Components\n"))
	components, _, _ := bytes.Cut(rest, []byte("\n### "))
	check(t, "modules", modules, Names())
	check(t, "components", components, Components())
}

// check compares the first column of the tables in text with names.
func check(t *testing.T, what string, text []byte, names []string) {
	t.Helper()
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllSubmatch(text, -1) {
		listed = append(listed, string(row[1]))
	}
	slices.Sort(listed)
	if !slices.Equal(listed, names) {
		t.Errorf("README.md lists the %s %v\nthere are %v", what, listed, names)
	}
}

// A guest that cannot be built again from its source is not a source guest.
func TestARebuildGivesTheCommittedBytes(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("no make")
	}
	if why, err := exec.Command("make", "--no-print-directory", "pinned").CombinedOutput(); err != nil {
		t.Skipf("not the pinned toolchain: %s", why)
	}
	out := t.TempDir()
	if log, err := exec.Command("make", "-s", "OUT="+out).CombinedOutput(); err != nil {
		t.Fatalf("make: %v\n%s", err, log)
	}
	for _, name := range Names() {
		rebuilt, err := os.ReadFile(filepath.Join(out, name+".wasm"))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(rebuilt, Wasm(name)) {
			t.Errorf("%s: committed and rebuilt module differ: run make -C internal/guests and commit", name)
		}
	}
}

func TestAnUnknownNamePanicsWithAHint(t *testing.T) {
	defer func() {
		if why, _ := recover().(string); !strings.Contains(why, `"nobody"`) || !strings.Contains(why, "README.md") {
			t.Errorf("panic says %q", why)
		}
	}()
	Wasm("nobody")
}
