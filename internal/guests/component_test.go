package guests

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests/build"
)

const maxCommitted = 1 << 20

func TestEveryCommittedComponentIsSmallAndStartsAsAComponent(t *testing.T) {
	for _, name := range Components() {
		if slices.Contains(build.Names(), name) {
			continue
		}
		wasm, ok := Built(name)
		if !ok {
			t.Errorf("%s is not there", name)
		}
		if len(wasm) > maxCommitted {
			t.Errorf("%s has %d bytes, more than %d: is it stripped?", name, len(wasm), maxCommitted)
		}
		if !bytes.HasPrefix(wasm, []byte("\x00asm\x0d\x00\x01\x00")) {
			t.Errorf("%s does not start as a component", name)
		}
	}
}

// A Rust panic tells its source file: of the standard library it is one of
// Debian's build, of a crate one under /cargo. Other paths are the builder's.
func TestNoCommittedComponentTellsWhereItWasBuilt(t *testing.T) {
	home := regexp.MustCompile(`/(root|home|tmp|work|Users|usr/local|opt)/[\w.+/-]+`)
	for _, name := range Components() {
		if slices.Contains(build.Names(), name) {
			continue
		}
		wasm, _ := Built(name)
		if found := home.Find(wasm); found != nil {
			t.Errorf("%s holds the path %s", name, found)
		}
	}
}

func TestTheReadmeListsEveryPathOfHTTPAndFront(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"components/http/src/lib.rs", "components/front/src/lib.rs"} {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		paths := regexp.MustCompile(`(?m)^ +"(/[a-z-]+)" =>`).FindAllSubmatch(text, -1)
		if len(paths) < 10 {
			t.Errorf("%s: found %d paths only", source, len(paths))
		}
		for _, path := range paths {
			if !bytes.Contains(readme, []byte("\n| `"+string(path[1])+"` |")) {
				t.Errorf("README.md does not list %s of %s", path[1], source)
			}
		}
	}
}

func TestAnUnknownComponentIsNotBuilt(t *testing.T) {
	if _, ok := Built("nobody"); ok {
		t.Error("it is there")
	}
	if _, err := build.Component("nobody"); err == nil {
		t.Error("it was built")
	}
}
