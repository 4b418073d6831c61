//go:build !linux

package wasihttp

// resident is for the limits of containers, which only Linux has.
func resident() uint64 { return 0 }
