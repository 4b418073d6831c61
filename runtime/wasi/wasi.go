// Package wasi is WASI 0.2 for components: its hosts, a package each, and what an instance has of them.
//
// wasi:http is not among them: it is package wasihttp's.
package wasi

import (
	"crypto/rand"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/wasi/cli"
	"github.com/mayfly-run/mayfly/runtime/wasi/clocks"
	"github.com/mayfly-run/mayfly/runtime/wasi/filesystem"
	"github.com/mayfly-run/mayfly/runtime/wasi/random"
	"github.com/mayfly-run/mayfly/runtime/wasi/sockets"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// Packages are the hosts, for [component.NewHost]. The state of instances must have what a [*Guest] has: it may embed one.
func Packages() []component.Package {
	return []component.Package{
		wasiio.Package(),
		clocks.Package(),
		random.Package(rand.Reader),
		cli.Package(),
		filesystem.Package(),
		sockets.Package(),
	}
}

// Guest is what one instance has of WASI. The zero Guest has nothing: no arguments, no files, no network.
type Guest struct {
	Command cli.Guest
	Files   *filesystem.Guest // nil: none
	Network *sockets.Guest    // nil: none
	random  random.Guest
}

var (
	_ random.State     = (*Guest)(nil)
	_ cli.State        = (*Guest)(nil)
	_ filesystem.State = (*Guest)(nil)
	_ sockets.State    = (*Guest)(nil)
)

// Random implements random.State.
func (g *Guest) Random() *random.Guest { return &g.random }

// CLI implements cli.State.
func (g *Guest) CLI() *cli.Guest { return &g.Command }

// Filesystem implements filesystem.State.
func (g *Guest) Filesystem() *filesystem.Guest { return g.Files }

// Sockets implements sockets.State.
func (g *Guest) Sockets() *sockets.Guest { return g.Network }

// Close closes what the instance has left open. It is called when the instance has been closed.
func (g *Guest) Close() error {
	if g.Files != nil {
		g.Files.Close()
	}
	if g.Network != nil {
		g.Network.Close()
	}
	return g.Command.Close()
}
