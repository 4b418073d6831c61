//go:build linux

// Package bundle tells sidecars from Linux containers and turns a sidecar's bundle into one that runs the holder.
//
// It reads the bundle that containerd made and the container's root filesystem, which is hostile: nothing of it is executed or
// decoded, a handful of bytes are looked at.
package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	configFile = "config.json"
	// maxConfig bounds the OCI configuration that is read, in bytes.
	maxConfig = 16 << 20
)

// Annotations that containerd's CRI plugin sets.
const (
	typeAnnotation = "io.kubernetes.cri.container-type"
	nameAnnotation = "io.kubernetes.cri.container-name"
)

// Spec is a bundle's OCI configuration. What this package does not know stays as it was.
type Spec struct {
	dir     string
	all     map[string]json.RawMessage
	process map[string]json.RawMessage
	known   known
}

// known is the part that mayfly looks at.
type known struct {
	Process struct {
		Args []string `json:"args"`
		Env  []string `json:"env"`
		Cwd  string   `json:"cwd"`
		User struct {
			UID int `json:"uid"`
			GID int `json:"gid"`
		} `json:"user"`
	} `json:"process"`
	Root struct {
		Path string `json:"path"`
	} `json:"root"`
	Mounts      []json.RawMessage `json:"mounts"`
	Annotations map[string]string `json:"annotations"`
	Linux       struct {
		Resources struct {
			Memory struct {
				Limit int64 `json:"limit"`
			} `json:"memory"`
		} `json:"resources"`
	} `json:"linux"`
}

// Read reads the configuration of the bundle in dir.
func Read(dir string) (*Spec, error) {
	f, err := os.Open(filepath.Join(dir, configFile))
	if err != nil {
		return nil, fmt.Errorf("read the bundle: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("read the bundle: %w", err)
	}
	if len(b) > maxConfig {
		return nil, fmt.Errorf("read the bundle: %s is larger than %d MiB", configFile, maxConfig>>20)
	}
	s := &Spec{dir: dir}
	if err := errors.Join(json.Unmarshal(b, &s.known), json.Unmarshal(b, &s.all)); err != nil {
		return nil, fmt.Errorf("read the bundle's %s: %w", configFile, err)
	}
	if raw, ok := s.all["process"]; ok {
		if err := json.Unmarshal(raw, &s.process); err != nil {
			return nil, fmt.Errorf("read the bundle's %s: process: %w", configFile, err)
		}
	}
	return s, nil
}

// IsSandbox reports whether this is the container that only holds a pod's namespaces.
func (s *Spec) IsSandbox() bool { return s.known.Annotations[typeAnnotation] == "sandbox" }

// Name is what the pod calls the container, "" outside of Kubernetes.
func (s *Spec) Name() string { return s.known.Annotations[nameAnnotation] }

// Env is the container's environment, as KEY=VALUE.
func (s *Spec) Env() []string { return s.known.Process.Env }

// User is the uid and gid the container runs as.
func (s *Spec) User() (uid, gid int) { return s.known.Process.User.UID, s.known.Process.User.GID }

// Rootfs is where the root filesystem is, or will be once mounted.
func (s *Spec) Rootfs() string {
	if p := s.known.Root.Path; filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(s.dir, s.known.Root.Path)
}
