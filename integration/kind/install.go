//go:build linux

package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// programs are what is installed on a node, and where.
var programs = []string{"containerd-shim-mayfly-v1", "mayfly-init", "mayfly-engine", "mayfly"}

const installed = "/opt/mayfly/bin"

const containerdConfig = "/etc/containerd/config.toml"

// install installs mayfly in a node, or what is newer, and does what
// "Installing it on a node" in the README says.
func (c *Cluster) install(ctx context.Context, node, bin string) error {
	step := func(err error) error {
		if err != nil {
			return fmt.Errorf("install mayfly in %s: %w", node, err)
		}
		return nil
	}
	// A program that runs cannot be written to, but another may take its place.
	const incoming = installed + "/incoming"
	if _, err := c.Docker.in(ctx, node, "mkdir", "-p", incoming); err != nil {
		return step(err)
	}
	for _, p := range programs {
		if _, err := os.Stat(filepath.Join(bin, p)); err != nil {
			return step(fmt.Errorf("%w; make build", err))
		}
		if _, err := c.Docker.run(ctx, nil, "cp", "-L", filepath.Join(bin, p), node+":"+incoming+"/"+p); err != nil {
			return step(err)
		}
	}
	if _, err := c.Docker.in(ctx, node, "sh", "-c", "chmod 0755 "+incoming+"/* && mv -f "+incoming+"/* "+installed+" && rmdir "+incoming); err != nil {
		return step(err)
	}
	config, err := c.Docker.read(ctx, node, containerdConfig)
	if err != nil {
		return step(err)
	}
	if strings.Contains(config, "runtimes.mayfly]") {
		return nil // new pods have new shims
	}
	table, err := runtimeTable(config)
	if err != nil {
		return step(err)
	}
	if err := c.Docker.write(ctx, node, containerdConfig, config+table); err != nil {
		return step(err)
	}
	if _, err := c.Docker.in(ctx, node, "systemctl", "restart", "containerd"); err != nil {
		return step(err)
	}
	return step(c.serves(ctx, node))
}

// runtimeTable is mayfly's in containerd's configuration. It has no options:
// the shim sees by itself whether systemd makes cgroups, and containerd refuses
// pods with a user namespace where there are some.
func runtimeTable(config string) (string, error) {
	plugin := `plugins."io.containerd.grpc.v1.cri"`
	switch version := value(config, "version"); version {
	case "2":
	case "3", "4":
		plugin = `plugins.'io.containerd.cri.v1.runtime'`
	default:
		return "", fmt.Errorf("%s has version %q, and 2, 3 and 4 are known", containerdConfig, version)
	}
	return fmt.Sprintf(`
[%s.containerd.runtimes.mayfly]
  runtime_type = "io.containerd.mayfly.v1"
  runtime_path = "%s/containerd-shim-mayfly-v1"
  pod_annotations = ["mayfly.run/*"]
`, plugin, installed), nil
}

// value is the first that a key has in a configuration, empty for none.
func value(config, key string) string {
	for line := range strings.Lines(config) {
		if k, v, ok := strings.Cut(line, "="); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// serves waits until a node's containerd answers.
func (c *Cluster) serves(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := c.Docker.in(ctx, node, "ctr", "-n", "k8s.io", "version")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("containerd does not come back: docker exec "+node+" journalctl -u containerd"), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
