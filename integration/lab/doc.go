// Package lab makes nodes: real containerd, runc and CNI in a sandbox of Linux
// namespaces, on a machine that has only Go, make and root.
//
// A [Node] is a set of mount, network, pid, uts, ipc and cgroup namespaces with
// containerd in them. Killing its first process ends every daemon, shim and
// container in it; [Node.Down] then removes the one thing namespaces do not
// own, the node's cgroup directories. Several nodes can be up at once.
//
// What a node runs is built from Go modules and Debian packages and kept by
// version in the user's cache directory ([Cache]); nothing is pulled from an
// image registry, and no image is made elsewhere.
//
// The integration tests, the demo and the benchmarks use it; nothing that is
// installed on a cluster does. A program that makes nodes calls [Main] first
// thing in its main or TestMain, because a node's first process is the same
// program started again.
package lab
