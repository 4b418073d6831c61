package instance

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/mayfly-run/mayfly/internal/compiled"
	"github.com/mayfly-run/mayfly/internal/version"
)

// codeKey names compiled code: it is a hash of the outline of the module and of how it is linked.
type codeKey [sha256.Size]byte

// canary is what the module with that code answers to who asks whether it is that.
func (k codeKey) canary() int64 { return int64(binary.LittleEndian.Uint64(k[:])) }

// code is where compiled code comes from, or is kept, other than in the process that runs it: a *recorder or a *record.
type code interface {
	// configure is called for the configuration of the engine.
	configure(wazero.RuntimeConfig) wazero.RuntimeConfig
	// digest is what stands for a module in a codeKey.
	digest(wasm []byte) ([sha256.Size]byte, error)
	// contents makes, or finds, what memories of some initial sizes begin with, in the place of data segments of the modules: so many of each.
	contents(sizes []uint64, taken []int, create func() (*images, error)) ([]int, *images, error)
	// compile compiles a woven module, or finds that done.
	compile(ctx context.Context, r *Runtime, key codeKey, weave func() ([]byte, error)) (wazero.CompiledModule, error)
	// prove is called with each instance of a module, before any of its functions is.
	prove(c wazero.CompiledModule, core api.Module) error
	close(ctx context.Context) error
}

// digest is what stands for a module in the name of its code.
func (r *Runtime) digest(wasm []byte) ([sha256.Size]byte, error) {
	if r.code == nil {
		return sha256.Sum256(wasm), nil
	}
	return r.code.digest(wasm)
}

// contents returns the images of memories, and how many data segments of each module are in them.
func (r *Runtime) contents(sizes []uint64, taken []int, create func() (*images, error)) ([]int, *images, error) {
	if r.code != nil {
		return r.code.contents(sizes, taken, create)
	}
	i, err := create()
	return taken, i, err
}

// compile compiles the module that weave makes, or finds that done.
func (r *Runtime) compile(ctx context.Context, key codeKey, weave func() ([]byte, error)) (c wazero.CompiledModule, err error) {
	defer noPanic(&err)
	if r.code != nil {
		return r.code.compile(ctx, r, key, weave)
	}
	woven, err := weave()
	if err != nil {
		return nil, err
	}
	c, err = r.engine.CompileModule(ctx, woven)
	return c, refused(err)
}

// origin is what code depends on, but for the module.
func (r *Runtime) origin() compiled.Origin {
	return compiled.Origin{
		Engine:  fmt.Sprintf("mayfly %s %s, %s %s", version.Version, version.Commit(), runtime.Version(), runtime.GOARCH),
		Wazero:  wazeroVersion(),
		Options: fmt.Sprintf("check %d", r.check),
	}
}

// wazeroVersion is empty where it cannot be known, as in tests.
func wazeroVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/tetratelabs/wazero" {
			return d.Version
		}
	}
	return ""
}
