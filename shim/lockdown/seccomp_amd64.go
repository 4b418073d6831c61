//go:build linux

package lockdown

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// allowedHere are system calls that newer architectures have not, and Go makes where they are.
var allowedHere = []uint32{
	unix.SYS_ARCH_PRCTL, unix.SYS_ACCESS, unix.SYS_DUP2, unix.SYS_EPOLL_WAIT, unix.SYS_LSTAT, unix.SYS_MKDIR, unix.SYS_OPEN,
	unix.SYS_POLL, unix.SYS_READLINK, unix.SYS_RENAME, unix.SYS_RMDIR, unix.SYS_STAT, unix.SYS_TIME, unix.SYS_UNLINK,
}
