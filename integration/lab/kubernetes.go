//go:build linux

package lab

import (
	"path/filepath"
	"strings"
)

// The Kubernetes that is tested, and the etcd it requires itself.
const (
	KubernetesVersion = "1.36.3"
	etcdVersion       = "3.6.8"
)

// Kubernetes is a release: a directory with etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, kube-proxy, kubelet, kubeadm and
// kubectl.
type Kubernetes struct {
	Version string // without a leading v
	Dir     string
}

// Program is the file of one of them.
func (k *Kubernetes) Program(name string) string { return filepath.Join(k.Dir, name) }

// Kubernetes builds it, or finds it in the cache. That takes minutes once.
func (c *Cache) Kubernetes() (*Kubernetes, error) {
	// kube-proxy and the plugin for host ports call it.
	if err := c.install(needNFT); err != nil {
		return nil, err
	}
	dir, err := c.Entry("kubernetes-"+KubernetesVersion, func(dir string) error {
		const module = "kubernetes-" + KubernetesVersion
		if err := c.goBuild(dir, module, etcdVersion, "", "", "etcd=go.etcd.io/etcd/server/v3"); err != nil {
			return err
		}
		var pkgs []string
		for _, name := range []string{"kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubeadm", "kubectl"} {
			pkgs = append(pkgs, "k8s.io/kubernetes/cmd/"+name)
		}
		return c.goBuild(dir, module, KubernetesVersion, kubernetesFlags(), "", pkgs...)
	})
	if err != nil {
		return nil, err
	}
	return &Kubernetes{Version: KubernetesVersion, Dir: dir}, nil
}

// kubernetesFlags is what a release of Kubernetes is told about itself. Clients
// refuse to work with a server that has no version.
func kubernetesFlags() string {
	part := strings.Split(KubernetesVersion, ".")
	var ldflags string
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, kv := range [][2]string{
			{"gitVersion", "v" + KubernetesVersion}, {"gitMajor", part[0]}, {"gitMinor", part[1]}, {"gitTreeState", "clean"},
		} {
			ldflags += " -X " + pkg + "." + kv[0] + "=" + kv[1]
		}
	}
	return ldflags
}
