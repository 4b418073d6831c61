//go:build linux

package kind

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// Name is the cluster's, as kind knows it.
const Name = "mayfly"

const controlPlane = Name + "-control-plane"

// Cluster is a cluster of kind's. Its fields are enough to reach it.
type Cluster struct {
	Docker     Docker
	Kind       string // the program
	Kubectl    string // the program
	Kubeconfig string // a file

	sandbox *sandbox // nil with a docker of the machine's
	forward *lab.Forward
}

// Options say what a cluster is made with.
type Options struct {
	Mayfly     string // directory with its programs
	Kubeconfig string // file to write
	Image      string // of nodes, in this machine's docker; see Prepare. Empty: with a docker of its own, which ends with the caller
}

// Up makes a cluster with mayfly installed in it. The working directory must
// be the repository.
func Up(ctx context.Context, cache *lab.Cache, o Options) (c *Cluster, err error) {
	files, err := cache.Kind()
	if err != nil {
		return nil, err
	}
	c = &Cluster{Kind: filepath.Join(files, "kind"), Kubeconfig: o.Kubeconfig}
	if o.Image != "" {
		err = c.onMachine(ctx, cache, o.Image)
	} else {
		err = c.inSandbox(ctx, cache)
	}
	if err == nil {
		err = c.Renew(ctx, cache, o.Mayfly)
	}
	if err != nil {
		return nil, errors.Join(err, c.Down(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// onMachine makes the cluster with this machine's docker and a public image.
func (c *Cluster) onMachine(ctx context.Context, cache *lab.Cache, image string) (err error) {
	if c.Docker, err = machineDocker(ctx); err != nil {
		return err
	}
	if c.Kubectl, err = kubectl(cache); err != nil {
		return err
	}
	return c.create(ctx, cache, image, 0, false)
}

// inSandbox makes the cluster with a docker and a node image of its own.
func (c *Cluster) inSandbox(ctx context.Context, cache *lab.Cache) error {
	parts, err := collect(cache)
	if err != nil {
		return err
	}
	images, err := parts.image(ctx, cache)
	if err != nil {
		return err
	}
	c.Kubectl = parts.kubernetes.Program("kubectl")
	if err := cache.Progress.Do("start docker in a sandbox, with the node image", func() (err error) {
		c.sandbox, err = startSandbox(ctx, cache, images)
		return err
	}); err != nil {
		return err
	}
	c.Docker = c.sandbox.docker
	// The API server has the port in the sandbox that it has on the machine,
	// so that one kubeconfig is right for both.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c.forward = c.sandbox.node.Forward(l, l.Addr().String())
	return c.create(ctx, cache, nodeImage, l.Addr().(*net.TCPAddr).Port, true)
}

// create has kind make the cluster.
func (c *Cluster) create(ctx context.Context, cache *lab.Cache, image string, port int, made bool) error {
	config, err := configuration(image, port, made)
	if err != nil {
		return err
	}
	err = cache.Progress.Do("kind create cluster", func() error {
		_, err := c.kind(ctx, strings.NewReader(string(config)), "create", "cluster", "--config", "-", "--kubeconfig", c.Kubeconfig, "--wait", "0s")
		return err
	})
	if err != nil || !made {
		return err
	}
	return c.routes(ctx)
}

// kind runs kind with this cluster's docker.
func (c *Cluster) kind(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.Kind, args...)
	cmd.Env = c.Docker.env()
	cmd.Stdin = stdin
	return output(cmd, (*exec.Cmd).Run)
}

// kubectl runs kubectl in the control plane's node, which always has the right one.
func (c *Cluster) kubectl(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	return c.Docker.run(ctx, stdin, append([]string{"exec", "-i", controlPlane, "kubectl"}, args...)...)
}

// Nodes are the names of the nodes, which docker and Kubernetes know them by.
func (c *Cluster) Nodes(ctx context.Context) ([]string, error) {
	list, err := c.kind(ctx, nil, "get", "nodes", "--name", Name)
	return strings.Fields(list), err
}

// Load makes the images in an archive known to every node.
func (c *Cluster) Load(ctx context.Context, archive string) error {
	_, err := c.kind(ctx, nil, "load", "image-archive", archive, "--name", Name)
	return err
}

// Renew installs mayfly, whose programs are in a directory, loads images, and
// waits until pods can be made. What is older gives way.
func (c *Cluster) Renew(ctx context.Context, cache *lab.Cache, mayfly string) error {
	err := cache.Progress.Do("install mayfly in the nodes", func() error { return c.Install(ctx, mayfly) })
	if err != nil {
		return err
	}
	if err := cache.Progress.Do("load images", func() error { return c.loadAll(ctx, cache) }); err != nil {
		return err
	}
	return cache.Progress.Do("wait for nodes and DNS", func() error {
		if _, err := c.kubectl(ctx, nil, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s"); err != nil {
			return err
		}
		_, err := c.kubectl(ctx, nil, "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=120s")
		return err
	})
}

// Install installs mayfly, whose programs are in a directory, in every node,
// or in place of an older one.
func (c *Cluster) Install(ctx context.Context, mayfly string) error {
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, n := range nodes {
		g.Go(func() error { return c.install(gctx, n, mayfly) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	class, err := os.Open("examples/runtimeclass.yaml")
	if err != nil {
		return fmt.Errorf("%w; run this with make", err)
	}
	defer class.Close()
	_, err = c.kubectl(ctx, class, "apply", "-f", "-")
	return err
}

// Down ends the cluster.
func (c *Cluster) Down(ctx context.Context) error {
	if c.forward != nil {
		c.forward.Close()
	}
	err := os.Remove(c.Kubeconfig)
	if errors.Is(err, os.ErrNotExist) {
		err = nil // it has not come that far
	}
	if c.sandbox != nil {
		return errors.Join(err, c.sandbox.down())
	}
	if c.Docker.Program == "" {
		return err
	}
	_, kindErr := c.kind(ctx, nil, "delete", "cluster", "--name", Name, "--kubeconfig", c.Kubeconfig)
	return errors.Join(err, kindErr)
}
