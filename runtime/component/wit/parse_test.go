package wit

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheDeclarationsOfOurHostsParse(t *testing.T) {
	var sources []string
	for _, f := range []string{"wasi/wasiio/io", "wasi/clocks/clocks", "wasi/random/random", "wasi/cli/cli", "wasi/filesystem/filesystem",
		"wasi/sockets/sockets", "../wasihttp/http"} {
		b, err := os.ReadFile(filepath.Join("..", "..", f+".wit"))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, string(b))
	}
	ps, err := Parse(sources...)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range ps.Packages {
		n += len(p.Interfaces)
	}
	if n != 31 {
		t.Errorf("%d interfaces, want 31", n)
	}
}
