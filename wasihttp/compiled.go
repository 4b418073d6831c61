package wasihttp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mayfly-run/mayfly/internal/compiled"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// outlineFile is the file of an entry that has the outline of the module or component, which takes its place.
const outlineFile = "app"

// Compile compiles a module or component into an empty directory, for [LoadCompiled], and makes sure that it can be loaded from there. Nothing of it
// runs. Its errors are those of [Load], but for what an instance or the sidecar's settings would show.
func Compile(ctx context.Context, wasm []byte, dir string) error {
	digest := sha256.Sum256(wasm)
	if err := record(ctx, wasm, digest, dir); err != nil {
		return err
	}
	if err := prove(ctx, dir, digest); err != nil {
		return fmt.Errorf("load what was compiled: %w", err)
	}
	return nil
}

// record compiles into a directory and seals it.
func record(ctx context.Context, wasm []byte, digest [sha256.Size]byte, dir string) (err error) {
	r, err := instance.NewRecorder(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(ctx)) }()
	if _, err := prepare(ctx, r, wasm); err != nil {
		return err
	}
	outline := weave.Outline
	if component.Is(wasm) {
		outline = component.Outline
	}
	b, err := outline(wasm)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, outlineFile), b, 0o644); err != nil {
		return fmt.Errorf("keep compiled code: %w", err)
	}
	return r.Seal(digest)
}

// prove loads what was recorded.
func prove(ctx context.Context, dir string, module [sha256.Size]byte) (err error) {
	if err := compiled.Verify(dir, module); err != nil {
		return err
	}
	e, err := compiled.Open(dir)
	if err != nil {
		return err
	}
	r, err := instance.NewRuntimeFrom(ctx, instance.Limits{Memory: 4 << 30}, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(ctx)) }()
	outline, err := e.Read(outlineFile)
	if err != nil {
		return err
	}
	p, err := prepare(ctx, r, outline)
	if err != nil {
		return err
	}
	return p.Prove(ctx)
}

// prepared is a module or component that is compiled, and has no settings yet.
type prepared interface {
	Prove(context.Context) error
}

func prepare(ctx context.Context, r *instance.Runtime, wasm []byte) (prepared, error) {
	if !component.Is(wasm) {
		return r.Compile(ctx, wasm)
	}
	d, err := component.Read(wasm)
	if err != nil {
		return nil, err
	}
	host, err := NewHost()
	if err != nil {
		return nil, err
	}
	return component.Load(ctx, r, d, host)
}

// LoadCompiled is Load for what Compile has written to a directory; "/proc/self/fd/N" is one of which there is a descriptor. Options.Wasm is not looked at.
//
// An error may be one of the directory, unless it wraps [ErrTrigger] or [instance.ErrSnapshot]: then the module or component must be loaded by itself.
func LoadCompiled(ctx context.Context, dir string, o Options) (*App, error) {
	e, err := compiled.Open(dir)
	if err != nil {
		return nil, err
	}
	if o.Wasm, err = e.Read(outlineFile); err != nil {
		return nil, err
	}
	r, err := instance.NewRuntimeFrom(ctx, o.limits(), e)
	if err != nil {
		return nil, err
	}
	return newApp(ctx, r, o)
}
