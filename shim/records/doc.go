//go:build linux

// Package records asks containerd and kubelet what they know of a pod and the task API does not tell: its labels, and the names of
// its containers.
//
// Both are asked over gRPC, by connections that last for one question. Few shims ever ask, and each asks a handful of fields, so the
// messages are taken apart by hand: the generated packages would be in the memory of every shim on the node.
package records
