//go:build linux

package kind

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
)

// What kind reads to make a cluster. JSON is YAML.
type (
	clusterConfig struct {
		Kind              string     `json:"kind"`
		APIVersion        string     `json:"apiVersion"`
		Name              string     `json:"name"`
		Networking        networking `json:"networking"`
		KubeadmPatches    []string   `json:"kubeadmConfigPatches,omitempty"`
		ContainerdPatches []string   `json:"containerdConfigPatches,omitempty"`
		Nodes             []node     `json:"nodes"`
	}
	networking struct {
		APIServerAddress  string `json:"apiServerAddress"`
		APIServerPort     int    `json:"apiServerPort,omitempty"`
		DisableDefaultCNI bool   `json:"disableDefaultCNI,omitempty"`
		KubeProxyMode     string `json:"kubeProxyMode,omitempty"`
		IPFamily          string `json:"ipFamily,omitempty"`
	}
	node struct {
		Role  string `json:"role"`
		Image string `json:"image"`
	}
)

// Pods may run on the control plane's node, too.
const twoForPods = `kind: InitConfiguration
nodeRegistration: {taints: []}
`

// The machine may have what kubelet refuses by default.
const allowCgroup1 = `kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
failCgroupV1: false
`

// Root may lack what lowering the score of the out-of-memory killer takes.
const leaveOOMScores = `[plugins."io.containerd.grpc.v1.cri"]
restrict_oom_score_adj = true
`

// Without kind's own network plugin containerd makes a node's network of the
// addresses that Kubernetes gives it; see routes.
const ownNetwork = `[plugins."io.containerd.grpc.v1.cri".cni]
conf_template = "` + networkTemplate + `"
`

// configuration is a cluster of two nodes of an image. port is where its API
// server is on the loopback, 0 for anywhere; made tells whether the image is
// one of makeImage's.
func configuration(image string, port int, made bool) ([]byte, error) {
	c := clusterConfig{
		Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4", Name: Name,
		Networking: networking{APIServerAddress: "127.0.0.1", APIServerPort: port},
		Nodes:      []node{{"control-plane", image}, {"worker", image}},

		KubeadmPatches: []string{twoForPods},
	}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); errors.Is(err, fs.ErrNotExist) {
		c.KubeadmPatches = append(c.KubeadmPatches, allowCgroup1)
	}
	if made {
		c.Networking.DisableDefaultCNI = true
		c.Networking.KubeProxyMode = "nftables"
		if _, err := os.Stat("/proc/net/if_inet6"); err == nil {
			c.Networking.IPFamily = "dual"
		}
		c.ContainerdPatches = append(c.ContainerdPatches, ownNetwork)
	}
	few, err := bounded()
	if err != nil {
		return nil, err
	}
	if few {
		c.ContainerdPatches = append(c.ContainerdPatches, leaveOOMScores)
	}
	return json.Marshal(c)
}
