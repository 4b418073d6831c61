//go:build linux

package kind

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestTheTableFitsTheConfigurationOfANode(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		want         []string
	}{
		{"version 2",
			"# a comment\nversion = 2\n[x.runtimes.runc.options]\n  SystemdCgroup = true\n",
			[]string{`[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.mayfly]`, `pod_annotations = ["mayfly.run/*"]`}},
		{"version 3",
			"version = 3\n",
			[]string{`[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.mayfly]`, installed}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table, err := runtimeTable(tt.config)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range tt.want {
				if !strings.Contains(table, w) {
					t.Errorf("%q is not in %s", w, table)
				}
			}
		})
	}
}

func TestAConfigurationOfNoKnownVersionIsAnError(t *testing.T) {
	for _, config := range []string{"", "version = 1\n", "disabled_plugins = [\"cri\"]\n"} {
		if table, err := runtimeTable(config); err == nil {
			t.Errorf("%q: got %s", config, table)
		}
	}
}

func TestOnlyAnImageMadeHereHasANetworkOfItsOwn(t *testing.T) {
	for _, made := range []bool{true, false} {
		text, err := configuration("image", 1234, made)
		if err != nil {
			t.Fatal(err)
		}
		var c clusterConfig
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		if c.Networking.DisableDefaultCNI != made || slices.Contains(c.ContainerdPatches, ownNetwork) != made {
			t.Errorf("made here: %v: %s", made, text)
		}
		if len(c.Nodes) != 2 || c.Nodes[0].Role != "control-plane" || c.Nodes[1].Role != "worker" {
			t.Errorf("nodes: %v", c.Nodes)
		}
	}
}
