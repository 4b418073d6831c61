package clusterbench

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/klog/v2"
)

// nodes are those that run pods of the RuntimeClass.
func (a *api) nodes(ctx context.Context, class string, where nodev1.Scheduling) ([]corev1.Node, error) {
	var list corev1.NodeList
	if err := a.core.Get().Resource("nodes").Do(ctx).Into(&list); err != nil {
		return nil, fmt.Errorf("list the nodes: %w", err)
	}
	fit := slices.DeleteFunc(slices.Clone(list.Items), func(n corev1.Node) bool { return !takes(&n, where) })
	switch {
	case len(fit) > 0:
		return fit, nil
	case len(where.NodeSelector) > 0:
		return nil, fmt.Errorf("of %d nodes none is Ready, takes pods and has what RuntimeClass %s selects: kubectl get nodes --selector %s lists those that have it",
			len(list.Items), class, labels.Set(where.NodeSelector))
	}
	return nil, fmt.Errorf("of %d nodes none is Ready and takes pods: kubectl get nodes tells more", len(list.Items))
}

// takes tells whether a node takes new pods of the RuntimeClass.
func takes(n *corev1.Node, where nodev1.Scheduling) bool {
	return !n.Spec.Unschedulable && nodeReady(n) && labels.SelectorFromSet(where.NodeSelector).Matches(labels.Set(n.Labels)) &&
		!slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool {
			return t.Effect != corev1.TaintEffectPreferNoSchedule && !tolerated(t, where)
		})
}

func nodeReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func tolerated(taint corev1.Taint, where nodev1.Scheduling) bool {
	return slices.ContainsFunc(where.Tolerations, func(t corev1.Toleration) bool { return t.ToleratesTaint(klog.Logger{}, &taint, true) })
}

// chosen is the node for what is measured pod by pod.
func chosen(nodes []corev1.Node, name, class string) (*corev1.Node, error) {
	for i, n := range nodes {
		if _, control := n.Labels["node-role.kubernetes.io/control-plane"]; n.Name == name || name == "" && !control {
			return &nodes[i], nil
		}
	}
	if name != "" {
		return nil, fmt.Errorf("--node %s: no node of that name is Ready and takes pods of RuntimeClass %s: kubectl describe node %s, and the class's scheduling, tell more", name, class, name)
	}
	return &nodes[0], nil
}

// on has a pod run on one node. It is the node's name that counts: its label of a hostname may be another.
func on(node string) *corev1.Affinity {
	itself := corev1.NodeSelectorRequirement{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{itself}}},
	}}}
}

// running counts the pods of each node that have not ended.
func (a *api) running(ctx context.Context) (map[string]int, error) {
	var list corev1.PodList
	if err := a.core.Get().Resource("pods").Do(ctx).Into(&list); err != nil {
		return nil, fmt.Errorf("list the pods of all namespaces: %w", err)
	}
	n := map[string]int{}
	for _, p := range list.Items {
		if p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			n[p.Spec.NodeName]++
		}
	}
	return n, nil
}
