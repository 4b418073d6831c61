package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Example is one of the sidecars in examples/time.
type Example struct {
	Language string
	Module   string // the file
}

// Image is the name its image has in a node.
func (e Example) Image() string { return "localhost/mayfly/time-" + e.Language + ":1" }

// Examples finds the three, and builds the one that is not committed into dir.
// The working directory must be the repository.
func Examples(ctx context.Context, dir string) ([]Example, error) {
	c, err := filepath.Abs("examples/time/c/time.wasm")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(c); err != nil {
		return nil, fmt.Errorf("find the examples: %w; run this with make", err)
	}
	rust, err := filepath.Abs("examples/time/rust/time.wasm")
	if err != nil {
		return nil, err
	}
	golang := filepath.Join(dir, "time-go.wasm")
	if err := Tool(ctx, []string{"GOOS=wasip1", "GOARCH=wasm"}, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", golang, "examples/time/go/main.go"); err != nil {
		return nil, err
	}
	return []Example{{"c", c}, {"go", golang}, {"rust", rust}}, nil
}

// Pack makes an image of it with mayfly build, and returns the archive.
func (e Example) Pack(ctx context.Context, dir string, port int) (string, error) {
	archive := filepath.Join(dir, "time-"+e.Language+".tar")
	return archive, Tool(ctx, nil, "bin/mayfly", "build", e.Module, "-t", e.Image(), "-o", archive, "--trigger", "http", "--port", fmt.Sprint(port))
}

// Tool runs a command of this machine's and, when it fails, says what it printed.
func Tool(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
