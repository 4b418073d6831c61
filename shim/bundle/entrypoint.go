//go:build linux

package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/entrypoint"
	"github.com/mayfly-run/mayfly/shim/beneath"
)

// ErrNotWasm is returned for an entrypoint that is called .wasm and is none.
var ErrNotWasm = errors.New("not a WebAssembly module")

// Entrypoint is a sidecar's app in its root filesystem.
type Entrypoint struct {
	// Path is absolute, as the container sees it.
	Path string
	// Component tells a component from a core module, by the layer field of the preamble.
	Component bool
}

// preamble is how much of a file tells what it is: magic, version and layer.
const preamble = 8

// FindEntrypoint looks into the root filesystem, which must be mounted. It returns nil for a Linux container, that is
// for anything but an entrypoint that starts with "\0asm". An entrypoint that claims to be Wasm by its name, and is neither that
// nor a program, is an error wrapping [ErrNotWasm]: runc could only say "exec format error".
func (s *Spec) FindEntrypoint() (*Entrypoint, error) {
	args := s.known.Process.Args
	if len(args) == 0 || args[0] == "" {
		return nil, nil
	}
	root, err := unix.Open(s.Rootfs(), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the root filesystem: %w", err)
	}
	defer unix.Close(root)
	for _, p := range entrypoint.Candidates(args[0], s.known.Process.Cwd, s.known.Process.Env) {
		head, err := readHead(root, p)
		if errors.Is(err, errNoFile) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the entrypoint %.200q: %w", p, err)
		}
		return classify(p, head)
	}
	return nil, nil
}

func classify(p string, head []byte) (*Entrypoint, error) {
	if bytes.HasPrefix(head, []byte("\x00asm")) {
		// Core modules are layer 0, components layer 1 (Component Model, Binary.md, "Component Definitions").
		return &Entrypoint{Path: p, Component: len(head) == preamble && head[6] == 1}, nil
	}
	isProgram := bytes.HasPrefix(head, []byte("\x7fELF")) || bytes.HasPrefix(head, []byte("#!"))
	if !strings.HasSuffix(p, ".wasm") || isProgram {
		return nil, nil
	}
	if len(head) == 0 {
		return nil, fmt.Errorf("the entrypoint %.200q is %w: the file is empty; build the image again from a module that is not", p, ErrNotWasm)
	}
	return nil, fmt.Errorf("the entrypoint %.200q is %w: it starts with % x, not with 00 61 73 6d; build the image from the linked .wasm file", p, ErrNotWasm, head)
}

// Open opens the entrypoint's file. The root filesystem must be mounted, and cannot be unmounted before the file is closed.
func (e *Entrypoint) Open(s *Spec) (*os.File, error) {
	root, err := unix.Open(s.Rootfs(), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the root filesystem: %w", err)
	}
	defer unix.Close(root)
	return openFile(root, e.Path)
}

// errNoFile is returned where there is no regular file.
var errNoFile = errors.New("no regular file")

// readHead reads the first bytes of a file below root.
func readHead(root int, p string) ([]byte, error) {
	f, err := openFile(root, p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, preamble)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	return head[:n], nil
}

// openFile opens a file below root. Symbolic links are followed as the container would see them, and nothing is opened but a regular file:
// opening a device or a fifo can have effects.
func openFile(root int, p string) (*os.File, error) {
	fd, err := beneath.Open(root, p, unix.O_PATH)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENAMETOOLONG):
		return nil, errNoFile
	case err != nil:
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, errNoFile
	}
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
}
