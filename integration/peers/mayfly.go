package peers

import (
	"os"
	"path/filepath"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/guests/build"
	"github.com/mayfly-run/mayfly/internal/guests/toolchain"
)

// Mayfly returns the mayfly in MAYFLY, or builds this repository's into dir.
func Mayfly(dir string, progress *lab.Progress, g Guest) (*Server, error) {
	binary := os.Getenv("MAYFLY")
	if binary == "" {
		root, err := build.Root()
		if err != nil {
			return nil, err
		}
		binary = filepath.Join(dir, "mayfly")
		err = progress.Do("build mayfly", func() error {
			return (toolchain.Env{Vars: []string{"CGO_ENABLED=0"}}).Run(root, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/mayfly")
		})
		if err != nil {
			return nil, err
		}
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	return &Server{Name: "mayfly", Version: firstLine(binary, "--version"), Command: func(file string, port int, _ string) []string {
		args := append([]string{binary, "serve", file, "--listen", address(port)}, g.flags()...)
		if g.Network {
			args = append(args, "--env", "MAYFLY_ALLOWED_OUTBOUND=*://*:*")
		}
		return append(append(args, "--"), g.Args...)
	}}, nil
}
