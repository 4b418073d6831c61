// Package kind makes a cluster of two nodes with kind, Kubernetes in Docker,
// and installs mayfly in both as an operator would: programs are copied, a
// table goes into containerd's configuration, containerd is restarted and the
// RuntimeClass is applied. Nothing in the nodes is prepared for it.
//
// Where docker runs and the public node image is to be had, it is kind as
// anybody has it. Elsewhere dockerd comes from Debian's packages and runs in a
// node of integration/lab, with which all of it ends, and the node image is
// made of Debian's packages, what integration/lab builds, and kind's own files.
//
// It says nothing about mayfly itself: the scenarios of integration/cluster
// do, and benchmarks. integration/cmd/kind keeps one up for a person.
package kind
