//go:build linux

package cluster

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// Addresses. Those of the node are what lab gives it, and one of the other
// family.
const (
	nodeIP4 = "10.88.255.1"
	nodeIP6 = "fd88:ffff::1"

	podCIDR4     = "10.88.0.0/20"
	podCIDR6     = "fd88::/64"
	serviceCIDRs = "10.96.0.0/16,fd96::/112"
	apiServiceIP = "10.96.0.1"

	// DNS is the address pods look for a name server at. There is none unless
	// somebody starts one behind a Service of this address.
	DNS = "10.96.0.10"
)

// podNetwork gives pods a wire of their own to the node, which routes between
// them: over a bridge, the answers of a Service's pods would not pass
// kube-proxy's rules.
const podNetwork = `{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "ptp", "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam",
    "ranges": [[{"subnet": "` + podCIDR4 + `"}], [{"subnet": "` + podCIDR6 + `"}]],
    "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "backend": "nftables"}]}
`

// Kubelet refuses cgroups of version 1 unless told not to. It leaves the score
// of the out-of-memory killer alone, as containerd does here, and evicts nobody
// because the machine has little room. It looks at pods, and so at their
// ConfigMaps, more often than its default of a minute. Its events have a number,
// as 0 is no limit to kubelet's documentation and five a second to its client.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
oomScoreAdj: 0
containerRuntimeEndpoint: unix://` + lab.Socket + `
authentication: {anonymous: {enabled: false}, webhook: {enabled: true, cacheTTL: 10s}, x509: {clientCAFile: DIR/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: DIR/kubelet.crt
tlsPrivateKeyFile: DIR/kubelet.key
clusterDNS: [` + DNS + `]
clusterDomain: cluster.local
resolvConf: DIR/resolv.conf
staticPodPath: DIR/manifests
volumePluginDir: DIR/volumeplugins
makeIPTablesUtilChains: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 0%, imagefs.available: 0%, nodefs.inodesFree: 0%, imagefs.inodesFree: 0%}
syncFrequency: 10s
maxPods: 250
serializeImagePulls: false
registryPullQPS: 0
eventRecordQPS: 500
eventBurst: 1000
kubeAPIQPS: 200
kubeAPIBurst: 400
`

const proxyConfig = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: ` + podCIDR4 + `,` + podCIDR6 + `
hostnameOverride: ` + NodeName + `
oomScoreAdj: 0
clientConnection: {kubeconfig: DIR/admin.conf}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {syncPeriod: 30s, minSyncPeriod: 100ms}
`

// files writes what the programs read.
func (c *Cluster) files() error {
	dir := c.path("")
	files := c.pki.files()
	files["resolv.conf"] = ""
	files["kubelet.yaml"] = strings.ReplaceAll(kubeletConfig, "DIR", filepath.Clean(dir))
	files["proxy.yaml"] = strings.ReplaceAll(proxyConfig, "DIR", filepath.Clean(dir))
	files["admin.conf"] = c.pki.kubeconfig("https://127.0.0.1:"+apiPort, c.pki.admin)
	files["node.conf"] = c.pki.kubeconfig("https://127.0.0.1:"+apiPort, c.pki.node)
	files["kubeconfig"] = c.pki.kubeconfig("https://"+c.address, c.pki.admin)
	for _, d := range []string{dir, c.StaticPods()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
