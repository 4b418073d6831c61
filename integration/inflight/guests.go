//go:build linux

package inflight

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mayfly-run/mayfly/internal/guests/build"
)

// Guests are the guests that [Find] finds: a component in Rust, and a core
// module in C that speaks CGI.
var Guests = []string{"rust", "c-cgi"}

// Find finds a guest.
func Find(name string) (g Guest, err error) {
	root, err := build.Root()
	if err != nil {
		return g, err
	}
	dir := filepath.Join(root, "internal", "guests")
	switch name {
	case "rust":
		g = Guest{Module: filepath.Join(dir, "components", "http.wasm"), Sleep: sleepPath, Short: "/hello"}
	case "c-cgi":
		g = Guest{Module: filepath.Join(dir, "testdata", "sleep.wasm"), Sleep: sleepPath, Short: "/?ms=0"}
	default:
		return g, fmt.Errorf("no guest %q: there are %q", name, Guests)
	}
	_, err = os.Stat(g.Module)
	return g, err
}

// sleepPath is the path that both sleep for.
func sleepPath(d time.Duration) string { return fmt.Sprintf("/sleep?ms=%d", d.Milliseconds()) }
