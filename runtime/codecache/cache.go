// Package codecache gets compiled code out of wazero, and into it again in another process.
//
// wazero can keep compiled code in a directory, and finds it there when it is asked to compile the same module. That load does more than it has to:
// it validates every function again, reads the offset of each with a system call, and copies the code into memory that the process has for itself
// alone. This package stands where the directory would, so that a module's outline is enough ([weave.Skeleton]), and the code is a file that is
// mapped where wazero has made room for it: all processes of a machine share its pages.
//
// The place is a field of wazero's that is not exported. It is filled when it is there, by name and by type, and [New] returns [ErrUnknown] when it
// is not: then code is compiled, as it would be without this package. Nothing of wazero is changed.
//
// Whoever gives code to [Cache.Load] answers for it: it is native code, and wazero checks no more than that its bytes are those that were written.
// Package instance is the one to use this.
package codecache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"unsafe"

	"github.com/tetratelabs/wazero"
)

// ErrUnknown says that this is not the wazero, or the system, that the package knows.
var ErrUnknown = errors.New("compiled code cannot be exchanged with this version of wazero")

// ErrCode is wrapped by the errors of code that is not what it has to be.
var ErrCode = errors.New("compiled code is not of this module, machine or version")

// Cache is a compilation cache of wazero's that keeps nothing. It may be used from several goroutines at once, which wait for one another.
type Cache struct {
	wazero wazero.CompilationCache
	place  place
	mu     sync.Mutex // is held while a module is compiled or loaded
}

// New returns a cache for one wazero.Runtime. The error wraps ErrUnknown.
func New() (*Cache, error) {
	c := &Cache{wazero: wazero.NewCompilationCache()}
	v := reflect.ValueOf(c.wazero)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("%w: a cache is a %v", ErrUnknown, v.Type())
	}
	f := v.Elem().FieldByName("fileCache")
	if !f.IsValid() || f.Kind() != reflect.Interface || !reflect.TypeFor[*place]().Implements(f.Type()) || !f.IsNil() {
		return nil, fmt.Errorf("%w: a cache has no field for files of the type that is known", ErrUnknown)
	}
	reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem().Set(reflect.ValueOf(&c.place))
	return c, nil
}

// Configure makes a runtime use the cache.
func (c *Cache) Configure(config wazero.RuntimeConfig) wazero.RuntimeConfig {
	return config.WithCompilationCache(c.wazero)
}

// Close frees what wazero has compiled. It comes after the runtime's Close.
func (c *Cache) Close(ctx context.Context) error { return c.wazero.Close(ctx) }

// Compile compiles a module. The machine code is written to text, and the rest of what Load needs is returned.
func (c *Cache) Compile(ctx context.Context, r wazero.Runtime, wasm []byte, text io.Writer) (wazero.CompiledModule, *Code, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.place = place{text: text}
	defer func() { c.place = place{} }()
	compiled, err := r.CompileModule(ctx, wasm)
	if err != nil {
		return nil, nil, err
	}
	if c.place.code == nil {
		return nil, nil, errors.Join(fmt.Errorf("%w: it kept no code", ErrUnknown), compiled.Close(ctx))
	}
	return compiled, c.place.code, nil
}

// Key returns what wazero calls the code of a module, on this machine. The module is validated but, if nothing is wrong, not compiled.
func (c *Cache) Key(ctx context.Context, r wazero.Runtime, wasm []byte) ([KeySize]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.place = place{asked: true}
	defer func() { c.place = place{} }()
	compiled, err := r.CompileModule(ctx, wasm)
	if errors.Is(err, errAsked) {
		return c.place.key, nil
	}
	if err == nil {
		err = errors.Join(fmt.Errorf("%w: it did not look for code", ErrUnknown), compiled.Close(ctx))
	}
	return [KeySize]byte{}, err
}

// Load makes a compiled module of its skeleton and the code of the whole one: text is mapped, and must not change as long as the module is in use.
// The error wraps ErrCode where the one does not go with the other, or with this machine. What does not belong together but seems to
// is for the caller to find, by calling a function of which it knows the result.
func (c *Cache) Load(ctx context.Context, r wazero.Runtime, skeleton []byte, code *Code, text *os.File) (wazero.CompiledModule, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &supply{head: code.head, tail: code.tail, text: text, size: code.size}
	c.place = place{key: code.Key, supply: s}
	defer func() { c.place = place{} }()
	compiled, err := r.CompileModule(ctx, skeleton)
	if err != nil {
		if s.code != nil {
			unmap(s.code) // wazero has forgotten it
		}
		return nil, err
	}
	if !s.used() { // it had the module already
		return nil, errors.Join(fmt.Errorf("%w: the code was not asked for", ErrCode), compiled.Close(ctx))
	}
	if s.code != nil {
		untouch(s.code)
	}
	return compiled, nil
}
