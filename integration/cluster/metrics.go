//go:build linux

package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// metricsPort is where metrics-server listens in the node.
const metricsPort = "4443"

// metricsAPI makes the API server pass on what is asked of metrics.k8s.io. The
// Service has no pods: metrics-server is a program of the node's.
const metricsAPI = `apiVersion: v1
kind: Service
metadata: {name: metrics-server, namespace: kube-system}
spec: {ports: [{name: https, port: 443, targetPort: ` + metricsPort + `}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: metrics-server, namespace: kube-system, labels: {kubernetes.io/service-name: metrics-server}}
addressType: IPv4
endpoints: [{addresses: ["` + nodeIP4 + `"]}]
ports: [{name: https, port: ` + metricsPort + `}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  {group: metrics.k8s.io, version: v1beta1, groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true,
   service: {name: metrics-server, namespace: kube-system}}
`

// StartMetrics starts metrics-server, which asks kubelet every ten seconds. Who
// calls it ends it with StopMetrics.
func (c *Cluster) StartMetrics(ctx context.Context, cache *lab.Cache) error {
	program, err := cache.MetricsServer()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(c.Log("metrics-server"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	admin := c.path("admin.conf")
	cmd := exec.Command(program, "--kubeconfig="+admin, "--authentication-kubeconfig="+admin, "--authorization-kubeconfig="+admin,
		"--secure-port="+metricsPort, "--cert-dir="+c.path("metrics-server"), "--kubelet-preferred-address-types=InternalIP",
		"--kubelet-certificate-authority="+c.path("ca.crt"), "--metric-resolution=10s", "--kubelet-request-timeout=9s")
	cmd.Stdout, cmd.Stderr = log, log
	d, err := c.Node.StartDaemon(cmd)
	if err != nil {
		return fmt.Errorf("start metrics-server: %w", err)
	}
	c.mu.Lock()
	c.daemons["metrics-server"] = d
	c.mu.Unlock()
	return c.apply(ctx, metricsAPI)
}

// StopMetrics ends metrics-server.
func (c *Cluster) StopMetrics(ctx context.Context) error {
	c.kill("metrics-server")
	cmd := c.Kubectl(ctx, "delete", "--wait=false", "-f", "-")
	cmd.Stdin = strings.NewReader(metricsAPI)
	return run(cmd)
}

func (c *Cluster) apply(ctx context.Context, manifest string) error {
	cmd := c.Kubectl(ctx, "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	return run(cmd)
}

func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[1:], " "), err, out)
	}
	return nil
}
