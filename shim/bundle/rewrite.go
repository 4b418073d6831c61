//go:build linux

package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/control"
)

// ErrReserved is returned for a container that uses the directory that mayfly needs in it.
var ErrReserved = errors.New(control.Dir + " in a sidecar's container is mayfly's own")

// Sources are the files on the node that the shim mounts into a sidecar's container.
type Sources struct {
	Holder, Engine, Socket string
}

// mount is an OCI mount, as far as ours need it.
type mount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options"`
}

// RunHolder makes the container's process the holder, with the app's own arguments behind it, and mounts what the holder needs.
// User, capabilities, seccomp profile, limits, namespaces and volumes stay as they are.
// It returns an error wrapping [ErrReserved] when a volume is in the way.
func (s *Spec) RunHolder(e *Entrypoint, src Sources) error {
	for _, m := range s.known.Mounts {
		if d := path.Clean("/" + m.Destination); d == control.Dir || strings.HasPrefix(d, control.Dir+"/") {
			return fmt.Errorf("%w: a volume is mounted at %.200q; mount it anywhere else", ErrReserved, m.Destination)
		}
	}
	args := []string{control.HolderPath, "-module", e.Path}
	if limit := s.known.Linux.Resources.Memory.Limit; limit > 0 {
		args = append(args, "-memory-limit", strconv.FormatInt(limit, 10))
	}
	for _, warning := range config.UnknownAnnotations(s.known.Annotations) {
		args = append(args, "-warn", warning) // the container's log is where the pod's author looks
	}
	args = append(args, "--")
	args = append(args, s.known.Process.Args...)

	mounts := s.mounts
	for _, m := range []mount{
		readOnlyFile(control.HolderPath, src.Holder),
		readOnlyFile(control.EnginePath, src.Engine),
		readOnlyFile(control.SocketPath, src.Socket),
	} {
		raw, err := json.Marshal(m)
		if err != nil {
			return err
		}
		mounts = append(mounts, raw)
	}
	if err := set(s.process, "args", args); err != nil {
		return err
	}
	if err := set(s.all, "process", s.process); err != nil {
		return err
	}
	if err := set(s.all, "mounts", mounts); err != nil {
		return err
	}
	return s.write()
}

func readOnlyFile(destination, source string) mount {
	return mount{
		Destination: destination,
		Type:        "bind",
		Source:      source,
		Options:     []string{"bind", "ro", "nosuid", "nodev"},
	}
}

func set(object map[string]json.RawMessage, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("rewrite the bundle's %s: %s: %w", configFile, key, err)
	}
	object[key] = raw
	return nil
}

// write replaces the configuration: a shim that dies half-way leaves the old one.
func (s *Spec) write() error {
	b, err := json.Marshal(s.all)
	if err != nil {
		return fmt.Errorf("rewrite the bundle's %s: %w", configFile, err)
	}
	tmp := filepath.Join(s.dir, configFile+".mayfly")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("rewrite the bundle: %w", err)
	}
	if err := os.Rename(tmp, filepath.Join(s.dir, configFile)); err != nil {
		return fmt.Errorf("rewrite the bundle: %w", err)
	}
	return nil
}
