//go:build linux

package lab

import "github.com/mayfly-run/mayfly/internal/smaps"

// Memory is what a process costs, in bytes.
type Memory = smaps.Usage

// Memory reads it for a process of the node's.
func (n *Node) Memory(pid int) (Memory, error) { return MemoryOf(n.Proc(pid, "smaps_rollup")) }

// MemoryOf reads the file smaps_rollup of a process.
func MemoryOf(file string) (Memory, error) { return smaps.Read(file) }
