package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/internal/guests/build"
)

// Example is one of the sidecars in examples/time.
type Example struct {
	Name   string // js for a component, c-cgi for a core module
	Title  string // for a person
	Module string // the file
}

// Image is the name its image has in a node.
func (e Example) Image() string { return "localhost/mayfly/time-" + e.Name + ":1" }

// errAnswer is the error for an answer that does not tell what was asked.
var errAnswer = errors.New("this answer does not tell the time")

// TellsTheTime tells what is wrong with the body of an answer of any of them,
// or of the ordinary program that does the same.
func TellsTheTime(body []byte) error {
	for _, part := range []string{`"time":`, `"unix":`, `"instance":`, `"language":`} {
		if !bytes.Contains(body, []byte(part)) {
			return errAnswer
		}
	}
	return nil
}

// Components finds those that are components, of these names or all, and builds
// what is too large to be committed. What cannot be built here is left out, and
// lacking says why. The working directory must be the repository.
func Components(p *Progress, names ...string) (all []Example, lacking []error) {
	for _, e := range []struct{ name, title, file, guest string }{
		{"c", "C", "examples/time/c-component/time.wasm", ""},
		{"rust", "Rust", "examples/time/rust-component/time.wasm", ""},
		{"go", "Go", "", "time-go"},
		{"js", "JavaScript", "", "time-javascript"},
		{"python", "Python", "", "time-python"},
	} {
		if len(names) > 0 && !slices.Contains(names, e.name) {
			continue
		}
		file, err := filepath.Abs(e.file)
		if err == nil && e.guest != "" {
			file, err = component(p, e.title, e.guest)
		}
		if err == nil {
			_, err = os.Stat(file)
		}
		if err != nil {
			first, _, _ := strings.Cut(err.Error(), "\n")
			lacking = append(lacking, fmt.Errorf("the %s sidecar: %s", e.title, first))
			continue
		}
		all = append(all, Example{e.name, e.title, file})
	}
	return all, lacking
}

// component is the file of a component that is built when nobody has.
func component(p *Progress, title, guest string) (file string, err error) {
	if file, ok := build.Find(guest); ok {
		return file, nil
	}
	err = p.Do("build the component in "+title+" with its own tools", func() error {
		file, err = build.Component(guest)
		return err
	})
	return file, err
}

// Modules finds those that are core modules and speak CGI, and builds the one
// that is not committed into dir. The working directory must be the repository.
func Modules(ctx context.Context, dir string) ([]Example, error) {
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
	return []Example{{"c-cgi", "C, CGI", c}, {"go-cgi", "Go, CGI", golang}, {"rust-cgi", "Rust, CGI", rust}}, nil
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
