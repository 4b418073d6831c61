//go:build linux

package cluster

import (
	"context"
	"errors"
	"os/exec"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// Options is what a cluster is made of.
type Options struct {
	Install        *lab.Install // the node's containerd
	Mayfly         string       // directory with mayfly's shim, holder and engine
	DefaultRuntime string       // of pods that name no RuntimeClass: runc when empty, or mayfly
}

// Cluster is a control plane and its one node.
type Cluster struct {
	Node       *lab.Node
	Containerd *lab.Containerd

	kubeconfig string
	kubectl    string
}

// Up makes a cluster. The caller ends it with Down; if the caller dies, so does
// the cluster.
func Up(ctx context.Context, cache *lab.Cache, o Options) (*Cluster, error) {
	return nil, errors.New("start a cluster: not possible yet")
}

// Kubeconfig is a file by which the machine's programs reach the cluster.
func (c *Cluster) Kubeconfig() string { return c.kubeconfig }

// Kubectl is a kubectl command on this cluster.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, c.kubectl, append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
}

// Import makes the images in an archive known to the node.
func (c *Cluster) Import(ctx context.Context, archive string) error {
	return c.Containerd.Import(ctx, archive)
}

// Down ends the cluster and everything in it.
func (c *Cluster) Down() error { return c.Node.Down() }

// ImportAll imports every image scenarios and people need: an ordinary
// container's, the test guests', and the examples' in C and in Rust.
func (c *Cluster) ImportAll(ctx context.Context, cache *lab.Cache) error {
	return errors.ErrUnsupported
}
