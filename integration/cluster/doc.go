// Package cluster makes Kubernetes: a node of integration/lab with etcd, the
// control plane, kubelet and kube-proxy in it, beside containerd. Everything is
// a plain process in the node's namespaces; no part of the control plane is a
// pod, and nothing of the cluster outlives [Cluster.Down].
//
// Its tests are what must hold of mayfly through kubectl. They run against a
// cluster of their own, or against one that a kubeconfig names, such as kind's.
// integration/cmd/cluster keeps one up for a person.
package cluster
