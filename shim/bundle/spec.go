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
	"strings"
)

const (
	configFile = "config.json"
	// maxConfig bounds the OCI configuration that is read, in bytes.
	maxConfig = 16 << 20
)

// Annotations that containerd's CRI plugin sets.
const (
	typeAnnotation    = "io.kubernetes.cri.container-type"
	nameAnnotation    = "io.kubernetes.cri.container-name"
	sandboxAnnotation = "io.kubernetes.cri.sandbox-id"
)

// Spec is a bundle's OCI configuration. What this package does not know stays as it was.
type Spec struct {
	dir     string
	all     map[string]json.RawMessage
	process map[string]json.RawMessage
	mounts  []json.RawMessage
	known   known
}

// known is the part that mayfly looks at.
type known struct {
	Process struct {
		Args []string `json:"args"`
		Env  []string `json:"env"`
		Cwd  string   `json:"cwd"`
		User struct {
			UID            int   `json:"uid"`
			GID            int   `json:"gid"`
			AdditionalGIDs []int `json:"additionalGids"`
		} `json:"user"`
	} `json:"process"`
	Root struct {
		Path string `json:"path"`
	} `json:"root"`
	Mounts []struct {
		Destination string `json:"destination"`
		Source      string `json:"source"`
	} `json:"mounts"`
	Annotations map[string]string `json:"annotations"`
	Linux       struct {
		UIDMappings []idMapping `json:"uidMappings"`
		GIDMappings []idMapping `json:"gidMappings"`
		CgroupsPath string      `json:"cgroupsPath"`
		Resources   struct {
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
	for key, part := range map[string]any{"process": &s.process, "mounts": &s.mounts} {
		if raw, ok := s.all[key]; ok {
			if err := json.Unmarshal(raw, part); err != nil {
				return nil, fmt.Errorf("read the bundle's %s: %s: %w", configFile, key, err)
			}
		}
	}
	return s, nil
}

// IsSandbox reports whether this is the container that only holds a pod's namespaces.
func (s *Spec) IsSandbox() bool { return s.known.Annotations[typeAnnotation] == "sandbox" }

// Name is what the pod calls the container, "" outside of Kubernetes.
func (s *Spec) Name() string { return s.known.Annotations[nameAnnotation] }

// SandboxID is the id of the pod's sandbox, "" outside of Kubernetes.
func (s *Spec) SandboxID() string { return s.known.Annotations[sandboxAnnotation] }

// defaultKubeletDir is where kubelet has its files unless it is told otherwise.
const defaultKubeletDir = "/var/lib/kubelet"

// KubeletDir is where kubelet has its files, as the file that it mounts at /etc/hosts shows.
func (s *Spec) KubeletDir() string {
	for _, m := range s.known.Mounts {
		if m.Destination != "/etc/hosts" {
			continue
		}
		// DIR/pods/UID/etc-hosts
		pods := filepath.Dir(filepath.Dir(m.Source))
		if filepath.IsAbs(pods) && filepath.Base(pods) == "pods" && filepath.Base(m.Source) == "etc-hosts" {
			return filepath.Dir(pods)
		}
	}
	return defaultKubeletDir
}

// Annotations are those of the pod that containerd passes on, and containerd's own.
func (s *Spec) Annotations() map[string]string { return s.known.Annotations }

// SystemdCgroup reports whether systemd is to make the container's cgroup: its path is SLICE:PREFIX:NAME then, which containerd writes where
// kubelet gives it a slice to put the pod in.
func (s *Spec) SystemdCgroup() bool {
	slice, name, _ := strings.Cut(s.known.Linux.CgroupsPath, ":")
	return strings.HasSuffix(slice, ".slice") && !strings.Contains(slice, "/") && strings.Count(name, ":") == 1
}

// Env is the container's environment, as KEY=VALUE.
func (s *Spec) Env() []string { return s.known.Process.Env }

// User is who the container runs as, in the node's numbers: its own are others where it has a user namespace.
func (s *Spec) User() (uid, gid int, groups []int) {
	u, l := s.known.Process.User, s.known.Linux
	for _, g := range u.AdditionalGIDs {
		groups = append(groups, onNode(l.GIDMappings, g))
	}
	return onNode(l.UIDMappings, u.UID), onNode(l.GIDMappings, u.GID), groups
}

// idMapping is a range of user or group ids of a user namespace.
type idMapping struct {
	ContainerID int `json:"containerID"`
	HostID      int `json:"hostID"`
	Size        int `json:"size"`
}

// overflowID is who a user without a mapping is to the kernel.
const overflowID = 65534

func onNode(mappings []idMapping, id int) int {
	if len(mappings) == 0 {
		return id
	}
	for _, m := range mappings {
		if id >= m.ContainerID && id-m.ContainerID < m.Size {
			return m.HostID + id - m.ContainerID
		}
	}
	return overflowID
}

// Rootfs is where the root filesystem is, or will be once mounted.
func (s *Spec) Rootfs() string {
	if p := s.known.Root.Path; filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(s.dir, s.known.Root.Path)
}
