//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/guests/build"
)

// connect is a client of the API server, which need not be there yet.
func (c *Cluster) connect() (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}

// serves waits until the API server does.
func (c *Cluster) serves(ctx context.Context) error {
	return c.until(ctx, "the API server serves", func(ctx context.Context) error {
		_, err := c.admin.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	})
}

// ready waits until pods can be created on a node that was started then, and
// sees to it that they can be mayfly's.
func (c *Cluster) ready(ctx context.Context, since time.Time) error {
	if err := c.runtimeClass(ctx); err != nil {
		return err
	}
	err := c.until(ctx, "the node is ready", func(ctx context.Context) error {
		n, err := c.admin.CoreV1().Nodes().Get(ctx, NodeName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		i := slices.IndexFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool { return c.Type == corev1.NodeReady })
		if i < 0 {
			return errors.New("it has not said so")
		}
		// What stands there after a reboot was said before it, until kubelet
		// says anything.
		said := n.Status.Conditions[i]
		if said.Status != corev1.ConditionTrue || said.LastHeartbeatTime.Time.Before(since) {
			return errors.New(said.Message)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.until(ctx, "there is a ServiceAccount for pods", func(ctx context.Context) error {
		_, err := c.admin.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// runtimeClass makes the one that users are given.
func (c *Cluster) runtimeClass(ctx context.Context) error {
	root, err := build.Root()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(root, "examples/runtimeclass.yaml"))
	if err != nil {
		return err
	}
	var class nodev1.RuntimeClass
	if err := yaml.Unmarshal(text, &class); err != nil {
		return fmt.Errorf("examples/runtimeclass.yaml: %w", err)
	}
	if _, err := c.admin.NodeV1().RuntimeClasses().Create(ctx, &class, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make the runtime class: %w", err)
	}
	return nil
}

// until asks again until there is no error, or one of the programs has ended.
func (c *Cluster) until(ctx context.Context, what string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, lab.Patience(time.Minute))
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if name := c.ended(); name != "" {
			return fmt.Errorf("wait until %s: %s has ended; its log ends:\n%s", what, name, tail(c.Log(name)))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// ended is the name of a program that should run and does not, "" for none.
func (c *Cluster) ended() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, d := range c.daemons {
		if d.Ended() {
			return name
		}
	}
	return ""
}

// tail is the end of a log, which goes with the node.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}
