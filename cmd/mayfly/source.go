package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/internal/entrypoint"
	"github.com/mayfly-run/mayfly/internal/ociimage"
	"github.com/mayfly-run/mayfly/runtime/weave"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// source is what a file on the command line holds: a module by itself, or an
// image with one.
type source struct {
	file  string // as given
	arg0  string // the module's name as the guest sees it
	wasm  []byte
	image *ociimage.Archive // nil for a module by itself
	root  string            // the image's files, unpacked; empty for a module by itself
}

// completeFiles lets a shell complete names of sources only.
func completeFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"wasm", "tar"}, cobra.ShellCompDirectiveFilterFileExt
}

// errNotSidecar is an image whose program is not WebAssembly.
var errNotSidecar = errors.New("not a Wasm sidecar")

// openSource reads a module or an image archive. An image is unpacked into a
// directory that close removes.
func openSource(file string, stderr io.Writer) (*source, error) {
	isModule, err := startsAsModule(file)
	if err != nil {
		return nil, err
	}
	if isModule {
		wasm, err := wasihttp.ReadModule(file)
		if err != nil {
			return nil, err
		}
		return &source{file: file, arg0: filepath.Base(file), wasm: wasm}, nil
	}
	defer notice(stderr, "mayfly: unpacking "+file+" …")()
	image, err := ociimage.Open(file)
	if errors.Is(err, ociimage.ErrNotArchive) && filepath.Ext(file) != ".tar" {
		return nil, fmt.Errorf("%s is neither a WebAssembly module nor an image archive: give a .wasm file, or the .tar that mayfly build or docker save wrote", file)
	}
	if err != nil {
		return nil, err
	}
	s := &source{file: file, image: image}
	if s.root, err = os.MkdirTemp("", "mayfly-"); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.unpack(); err != nil {
		return s, errors.Join(fmt.Errorf("%s: %w", file, err), s.close())
	}
	return s, nil
}

// startsAsModule tells whether a file is meant as a module: it has the magic
// number, or the name of one, so that a broken module is called that.
func startsAsModule(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return false, err
	} else if info.IsDir() {
		return false, fmt.Errorf("%s is a directory: give the .wasm or the .tar file in it", file)
	}
	var magic [4]byte
	n, err := io.ReadFull(f, magic[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, err
	}
	return bytes.Equal(magic[:n], []byte("\x00asm")) || filepath.Ext(file) == ".wasm", nil
}

// unpack extracts the image and reads the module its entrypoint names.
func (s *source) unpack() (err error) {
	if err := s.image.Extract(s.root); err != nil {
		return err
	}
	command := s.command(nil)
	if len(command) == 0 {
		return fmt.Errorf("%w: the image names no entrypoint: build it with mayfly build", errNotSidecar)
	}
	s.arg0 = command[0]
	c := s.image.Config
	for _, p := range entrypoint.Candidates(command[0], c.WorkingDir, c.Env) {
		if s.wasm, err = readIn(s.root, inRoot(p)); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%w: its entrypoint %q: %w: build it with mayfly build", errNotSidecar, command[0], err)
	}
	if !bytes.HasPrefix(s.wasm, []byte("\x00asm")) {
		s.wasm = nil
		return fmt.Errorf("%w: its entrypoint %q is an ordinary Linux program: run it with docker or ctr", errNotSidecar, command[0])
	}
	return nil
}

// inRoot is an absolute path as one below the root.
func inRoot(p string) string { return strings.TrimPrefix(p, "/") }

// maxModule bounds a module in an image, in bytes, as wasihttp.ReadModule does
// one in a file.
const maxModule = weave.MaxModule

// readIn reads a file of an unpacked image. Links in its path are followed
// within the image only.
func readIn(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxModule {
		return nil, errors.New("no file, or too large for a module")
	}
	return io.ReadAll(f)
}

// command is the guest's command line: the entrypoint, and args in place of the
// image's own arguments where there are any.
func (s *source) command(args []string) []string {
	if s.image == nil {
		return append([]string{s.arg0}, args...)
	}
	c := s.image.Config
	if len(args) == 0 {
		args = c.Cmd
	}
	return append(append([]string{}, c.Entrypoint...), args...)
}

// env is the image's environment.
func (s *source) env() []string {
	if s.image == nil {
		return nil
	}
	return s.image.Config.Env
}

// close releases the archive and removes what was unpacked.
func (s *source) close() error {
	if s.image == nil {
		return nil
	}
	err := s.image.Close()
	if s.root != "" {
		err = errors.Join(err, os.RemoveAll(s.root))
	}
	return err
}
