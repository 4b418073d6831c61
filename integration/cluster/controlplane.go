//go:build linux

package cluster

import (
	"context"
)

// apiPort is where the API server listens in the node.
const apiPort = "6443"

// startControlPlane starts etcd, the API server and, when that serves, the
// programs that end themselves when they do not find it.
func (c *Cluster) startControlPlane(ctx context.Context) error {
	// The machine's disk is not waited for: nobody pulls its plug.
	if err := c.daemon("etcd", "--data-dir="+c.path("etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=default=http://127.0.0.1:2380"); err != nil {
		return err
	}
	if err := c.daemon("kube-apiserver", "--etcd-servers=http://127.0.0.1:2379",
		"--advertise-address="+nodeIP4, "--secure-port="+apiPort, "--service-cluster-ip-range="+serviceCIDRs,
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
		"--client-ca-file="+c.path("ca.crt"),
		"--tls-cert-file="+c.path("apiserver.crt"), "--tls-private-key-file="+c.path("apiserver.key"),
		"--kubelet-certificate-authority="+c.path("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate="+c.path("to-kubelet.crt"), "--kubelet-client-key="+c.path("to-kubelet.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file="+c.path("tokens.pub"), "--service-account-signing-key-file="+c.path("tokens.key"),
		"--requestheader-client-ca-file="+c.path("front-proxy-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+c.path("to-aggregated.crt"), "--proxy-client-key-file="+c.path("to-aggregated.key"),
	); err != nil {
		return err
	}
	if err := c.serves(ctx); err != nil {
		return err
	}
	admin := []string{"--kubeconfig=" + c.path("admin.conf"), "--leader-elect=false", "--secure-port=0"}
	if err := c.daemon("kube-scheduler", append(admin, "--kube-api-qps=500", "--kube-api-burst=1000")...); err != nil {
		return err
	}
	// One identity for all controllers and no limit of requests: making the
	// first ServiceAccount took seconds with the defaults. The autoscaler looks
	// at its pods often, and from their beginning.
	return c.daemon("kube-controller-manager", append(admin, "--kube-api-qps=500", "--kube-api-burst=1000",
		"--use-service-account-credentials=false", "--root-ca-file="+c.path("ca.crt"),
		"--service-account-private-key-file="+c.path("tokens.key"),
		"--cluster-signing-cert-file="+c.path("ca.crt"), "--cluster-signing-key-file="+c.path("ca.key"),
		"--allocate-node-cidrs=false", "--horizontal-pod-autoscaler-sync-period=5s",
		"--horizontal-pod-autoscaler-cpu-initialization-period=10s", "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
	)...)
}
