//go:build linux

package kind

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// networkTemplate is of what containerd makes a node's network: a link to each
// of the node's own pods. What leads to the pods of other nodes, routes adds.
const networkTemplate = "/etc/cni/mayfly.template"

const network = `{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "ptp", "ipam": {
    "type": "host-local",
    "routes": [{{range $i, $r := .Routes}}{{if $i}}, {{end}}{"dst": "{{$r}}"}{{end}}],
    "ranges": [{{range $i, $r := .PodCIDRRanges}}{{if $i}}, {{end}}[{"subnet": "{{$r}}"}]{{end}}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
`

// tuned are settings of the whole machine that kubelet changes. A node has
// files of its own in their places.
var tuned = []string{
	"kernel/keys/root_maxbytes", "kernel/keys/root_maxkeys", "kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom",
}

// keepSettings is of kubelet's unit. It runs each time before kubelet does.
const keepSettings = `[Unit]
After=containerd.service

[Service]
ExecStartPre=/bin/sh -euc 'mkdir -p /run/settings; for f in SETTINGS; do \
  mountpoint -q /proc/sys/$$f && continue; own=/run/settings/$$(basename $$f); \
  cat /proc/sys/$$f >$$own; mount --bind $$own /proc/sys/$$f; done'
`

// storage is a class that kind has to have, and that makes nothing.
const storage = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard}
provisioner: kubernetes.io/no-provisioner
`

// settings are what a node reads, beside what kind brings.
func (p imageParts) settings(root string) error {
	for name, text := range map[string]string{
		networkTemplate: network,
		"/etc/systemd/system/kubelet.service.d/20-settings.conf": strings.ReplaceAll(keepSettings, "SETTINGS", strings.Join(tuned, " ")),
		"/etc/systemd/journald.conf":                             "[Journal]\nReadKMsg=no\n", // it is the machine's, and no node's
		"/kind/manifests/default-storage.yaml":                   storage,
		"/kind/manifests/default-cni.yaml":                       "",
		"/kind/version":                                          "v" + p.kubernetes.Version,
	} {
		if err := put(filepath.Join(root, name), text, 0o644); err != nil {
			return err
		}
	}
	return os.MkdirAll(filepath.Join(root, "etc/kubernetes/manifests"), 0o755)
}

// unwanted are links by which Debian's systemd starts what a machine needs and
// a container must not, and settings of the whole machine.
var unwanted = []string{
	"lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service",
	"lib/systemd/system/multi-user.target.wants/*",
	"lib/systemd/system/local-fs.target.wants/*",
	"lib/systemd/system/basic.target.wants/*",
	"lib/systemd/system/sockets.target.wants/*udev*",
	"lib/systemd/system/sockets.target.wants/*initctl*",
	"etc/systemd/system/*.wants/*",
	"usr/lib/sysctl.d/*",
}

// units leaves to systemd what a node is to run.
func units(root string) error {
	for _, pattern := range unwanted {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return err
		}
		for _, f := range found {
			if err := os.Remove(f); err != nil {
				return err
			}
		}
	}
	system := filepath.Join(root, "etc/systemd/system")
	links := map[string]string{
		filepath.Join(root, "sbin/init"):                "/usr/lib/systemd/systemd",
		filepath.Join(system, "systemd-binfmt.service"): "/dev/null", // what it sets is the machine's
	}
	for _, unit := range []string{"kubelet.service", "containerd.service", "undo-mount-hacks.service"} {
		links[filepath.Join(system, "multi-user.target.wants", unit)] = "/etc/systemd/system/" + unit
	}
	for name, to := range links {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Symlink(to, name); err != nil {
			return err
		}
	}
	return nil
}
