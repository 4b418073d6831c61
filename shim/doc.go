//go:build linux

// Package shim is the containerd side of mayfly: the process that containerd starts for a pod whose runtime is
// io.containerd.mayfly.v1, and the short calls around it.
//
//	containerd ── start ──▶ Main: makes the socket, starts itself again as the pod's shim, prints the address
//	           ── task API ▶ service: every container of the pod
//	           ── delete ──▶ Main: cleans up after a shim that was killed
//
// Linux containers, the pause container too, go to containerd's own runc task service, in this process. So do sidecars, once
// package bundle has put the holder in the place of their process and package podnet has opened their sockets; package sidecar has
// their life cycle. Package finish ends them when the pod's work is done, with what package records asks containerd and kubelet.
//
// The shim is root on the node. It never decodes, compiles or runs Wasm, does not import wazero, and takes nothing that
// comes out of a container on trust.
package shim
