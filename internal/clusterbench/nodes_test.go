package clusterbench

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
)

// nodeOf is a node that is Ready.
func nodeOf(name string, labels map[string]string, taints ...corev1.Taint) corev1.Node {
	n := corev1.Node{Spec: corev1.NodeSpec{Taints: taints}}
	n.Name, n.Labels = name, labels
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	return n
}

func TestANodeTakesPodsOfTheRuntimeClass(t *testing.T) {
	installed := map[string]string{"mayfly.run/installed": "true", "zone": "a"}
	selects := nodev1.Scheduling{NodeSelector: map[string]string{"mayfly.run/installed": "true"}}
	wasm := corev1.Taint{Key: "wasm", Value: "only", Effect: corev1.TaintEffectNoSchedule}
	tolerates := func(t corev1.Toleration) nodev1.Scheduling {
		return nodev1.Scheduling{Tolerations: []corev1.Toleration{t}}
	}
	cordoned, dead := nodeOf("n", nil), nodeOf("n", nil)
	cordoned.Spec.Unschedulable = true
	dead.Status.Conditions[0].Status = corev1.ConditionUnknown
	for _, c := range []struct {
		name  string
		node  corev1.Node
		where nodev1.Scheduling
		want  bool
	}{
		{"a class without scheduling is for every node", nodeOf("n", nil), nodev1.Scheduling{}, true},
		{"it has the label that the class selects", nodeOf("n", installed), selects, true},
		{"it lacks the label", nodeOf("n", nil), selects, false},
		{"its label has another value", nodeOf("n", map[string]string{"mayfly.run/installed": "false"}), selects, false},
		{"its taint is not tolerated", nodeOf("n", nil, wasm), nodev1.Scheduling{}, false},
		{"the class tolerates its taint", nodeOf("n", nil, wasm), tolerates(corev1.Toleration{Key: "wasm", Operator: corev1.TolerationOpExists}), true},
		{"the class tolerates the taint's value", nodeOf("n", nil, wasm), tolerates(corev1.Toleration{Key: "wasm", Value: "only"}), true},
		{"the class tolerates another value", nodeOf("n", nil, wasm), tolerates(corev1.Toleration{Key: "wasm", Value: "other"}), false},
		{"the class tolerates another effect", nodeOf("n", nil, wasm), tolerates(corev1.Toleration{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}), false},
		{"the class tolerates one taint of two", nodeOf("n", nil, wasm, corev1.Taint{Key: "gpu", Effect: corev1.TaintEffectNoExecute}), tolerates(corev1.Toleration{Key: "wasm", Operator: corev1.TolerationOpExists}), false},
		{"its taint only asks for others to be preferred", nodeOf("n", nil, corev1.Taint{Key: "old", Effect: corev1.TaintEffectPreferNoSchedule}), nodev1.Scheduling{}, true},
		{"it is cordoned", cordoned, nodev1.Scheduling{}, false},
		{"it is not Ready", dead, nodev1.Scheduling{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := takes(&c.node, c.where); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestTheNodeOfSinglePods(t *testing.T) {
	control := map[string]string{"node-role.kubernetes.io/control-plane": ""}
	for _, c := range []struct {
		name  string
		nodes []corev1.Node
		named string
		want  string
		fails string
	}{
		{"is the first that is not the control plane's", []corev1.Node{nodeOf("a", control), nodeOf("b", nil), nodeOf("c", nil)}, "", "b", ""},
		{"is the control plane's where there is no other", []corev1.Node{nodeOf("a", control)}, "", "a", ""},
		{"is the one that is named", []corev1.Node{nodeOf("a", control), nodeOf("b", nil)}, "a", "a", ""},
		{"is none where the one that is named does not take such pods", []corev1.Node{nodeOf("a", nil)}, "x", "", "--node x: no node of that name is Ready and takes pods of RuntimeClass mayfly"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := chosen(c.nodes, c.named, "mayfly")
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatal(err)
				}
				return
			}
			if err != nil || n.Name != c.want {
				t.Errorf("%v, %v", n, err)
			}
		})
	}
}
