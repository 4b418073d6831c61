//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"

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

	options    Options
	kubernetes *lab.Kubernetes
	pki        *pki
	address    string // of the API server on the machine; it stays when the node reboots
	forward    *lab.Forward
	admin      *kubernetes.Clientset

	mu      sync.Mutex // guards daemons
	daemons map[string]*lab.Daemon
}

// NodeName is what the cluster calls its node.
const NodeName = "node-0"

// Up makes a cluster, and returns when pods can be created in it. The caller
// ends it with Down; if the caller dies, so does the cluster.
func Up(ctx context.Context, cache *lab.Cache, o Options) (*Cluster, error) {
	k8s, err := cache.Kubernetes()
	if err != nil {
		return nil, err
	}
	if o.DefaultRuntime == "" {
		o.DefaultRuntime = "runc"
	}
	if err := roomForWatchers(ctx); err != nil {
		return nil, fmt.Errorf("start a cluster: %w", err)
	}
	n, err := lab.Up(cache)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Node: n, options: o, kubernetes: k8s, daemons: map[string]*lab.Daemon{}}
	if err := c.up(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start a cluster: %w", err), c.Down())
	}
	return c, nil
}

func (c *Cluster) up(ctx context.Context) (err error) {
	if c.pki, err = newPKI(); err != nil {
		return err
	}
	if err := c.listen("127.0.0.1:0"); err != nil {
		return err
	}
	if err := c.files(); err != nil {
		return err
	}
	if c.admin, err = c.connect(); err != nil {
		return err
	}
	return c.start(ctx)
}

// start brings up, in a node that is there, everything that runs in it.
func (c *Cluster) start(ctx context.Context) error {
	if err := c.prepare(); err != nil {
		return err
	}
	since := time.Now().Truncate(time.Second) // as the API tells time
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		if c.Containerd == nil {
			c.Containerd, err = c.Node.StartContainerd(gctx, c.options.Install, c.options.Mayfly, func(d *lab.Containerd) {
				d.DefaultRuntime, d.Network = c.options.DefaultRuntime, podNetwork
			})
			return err
		}
		return c.Containerd.Start(gctx)
	})
	g.Go(func() error { return c.startControlPlane(gctx) })
	if err := g.Wait(); err != nil {
		return err
	}
	if err := c.StartKubelet(); err != nil {
		return err
	}
	if err := c.daemon("kube-proxy", "--config="+c.path("proxy.yaml")); err != nil {
		return err
	}
	return c.ready(ctx, since)
}

// listen takes what comes to an address of the machine to the API server.
func (c *Cluster) listen(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("forward to the API server: %w", err)
	}
	c.address = l.Addr().String()
	c.forward = c.Node.Forward(l, "127.0.0.1:"+apiPort)
	return nil
}

// Kubeconfig is a file by which the machine's programs reach the cluster; its
// context is called mayfly.
func (c *Cluster) Kubeconfig() string { return c.path("kubeconfig") }

// Kubectl is a kubectl command on this cluster.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) *exec.Cmd {
	// What kubectl knows of this cluster is of no use for the next, which may
	// have the same address.
	cmd := exec.CommandContext(ctx, c.kubernetes.Program("kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig(), "KUBECACHEDIR="+c.path("kubectl"))
	return cmd
}

// Import makes the images in an archive known to the node.
func (c *Cluster) Import(ctx context.Context, archive string) error {
	return c.Containerd.Import(ctx, archive)
}

// ImportAll imports every image scenarios and people need: ordinary
// containers', the test guests', and the examples' in C and in Rust.
func (c *Cluster) ImportAll(ctx context.Context, cache *lab.Cache) error {
	archives, err := cache.Images()
	if err != nil {
		return err
	}
	guests := c.path("guests.tar")
	if err := lab.WriteGuests(guests); err != nil {
		return err
	}
	examples, err := lab.PackTime(c.path(""))
	if err != nil {
		return err
	}
	for _, archive := range slices.Concat(archives, []string{guests}, examples) {
		if err := c.Import(ctx, archive); err != nil {
			return err
		}
	}
	return nil
}

// Reboot ends everything in the node at once, as a loss of power would, and
// starts it again. It returns when pods can be created; those that were there
// are kubelet's to bring back.
func (c *Cluster) Reboot(ctx context.Context) error {
	c.forward.Close()
	err := c.Node.Reboot()
	if again := c.listen(c.address); err == nil {
		err = again
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	clear(c.daemons)
	c.mu.Unlock()
	return c.start(ctx)
}

// Down ends the cluster and everything in it.
func (c *Cluster) Down() error {
	if c.forward != nil {
		c.forward.Close()
	}
	return c.Node.Down()
}
