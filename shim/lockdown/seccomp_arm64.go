//go:build linux

package lockdown

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// allowedHere is empty: this architecture has no system calls that others have not.
var allowedHere []uint32
