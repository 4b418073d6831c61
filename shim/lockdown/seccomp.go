//go:build linux

package lockdown

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// allowed are the system calls that Go's runtime makes, and those for reading and writing files and mapping memory. Others fail as if they were
// forbidden, which they mostly are anyway to a process in an empty file system and without a privilege: this is for the kernel's sake.
var allowed = append([]uint32{
	// Memory. Not memfd_create: where no cgroup counts it, nobody sees how much a process has that it has not mapped.
	unix.SYS_BRK, unix.SYS_MADVISE, unix.SYS_MEMBARRIER, unix.SYS_MINCORE, unix.SYS_MMAP, unix.SYS_MPROTECT, unix.SYS_MREMAP,
	unix.SYS_MSYNC, unix.SYS_MUNMAP,
	// Files.
	unix.SYS_CHDIR, unix.SYS_CLOSE, unix.SYS_COPY_FILE_RANGE, unix.SYS_DUP, unix.SYS_DUP3, unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2,
	unix.SYS_FALLOCATE, unix.SYS_FCHDIR, unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_FCNTL, unix.SYS_FDATASYNC, unix.SYS_FLOCK, unix.SYS_FSTAT,
	unix.SYS_FSTATFS, unix.SYS_FSYNC, unix.SYS_FTRUNCATE, unix.SYS_GETCWD, unix.SYS_GETDENTS64, unix.SYS_LSEEK, unix.SYS_MKDIRAT, unix.SYS_NEWFSTATAT, unix.SYS_OPENAT,
	unix.SYS_OPENAT2, unix.SYS_PREAD64, unix.SYS_PREADV, unix.SYS_PWRITE64, unix.SYS_PWRITEV, unix.SYS_READ, unix.SYS_READLINKAT, unix.SYS_READV,
	unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_SENDFILE, unix.SYS_STATFS, unix.SYS_STATX, unix.SYS_TRUNCATE, unix.SYS_UMASK,
	unix.SYS_UNLINKAT, unix.SYS_UTIMENSAT, unix.SYS_WRITE, unix.SYS_WRITEV,
	// Threads, signals and time.
	unix.SYS_CLOCK_GETRES, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_FUTEX,
	unix.SYS_GETITIMER, unix.SYS_GETTIMEOFDAY, unix.SYS_NANOSLEEP, unix.SYS_RESTART_SYSCALL, unix.SYS_RSEQ, unix.SYS_RT_SIGACTION,
	unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SCHED_YIELD, unix.SYS_SETITIMER, unix.SYS_SET_ROBUST_LIST,
	unix.SYS_SET_TID_ADDRESS, unix.SYS_SIGALTSTACK, unix.SYS_TGKILL, unix.SYS_TIMER_CREATE, unix.SYS_TIMER_DELETE, unix.SYS_TIMER_SETTIME,
	// Waiting.
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2, unix.SYS_PIPE2, unix.SYS_PPOLL,
	// About itself. The filter is there before the program is.
	unix.SYS_CAPGET, unix.SYS_EXECVEAT, unix.SYS_GETEGID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETGROUPS, unix.SYS_GETPID,
	unix.SYS_GETPPID, unix.SYS_GETRANDOM, unix.SYS_GETRLIMIT,
	unix.SYS_GETRUSAGE, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_PRCTL, unix.SYS_PRLIMIT64, unix.SYS_SYSINFO, unix.SYS_UNAME,
}, allowedHere...)

// Where seccomp_data has what the filter looks at (seccomp(2)).
const (
	dataNumber = 0
	dataArch   = 4
	dataFlags  = 16 // the first argument; the architectures we know are little-endian
)

// filterCalls allows the thread, and what it executes, only the system calls that are listed.
func filterCalls() error {
	stmt := func(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }
	load := func(at uint32) unix.SockFilter { return stmt(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, at) }
	end := func(what uint32) unix.SockFilter { return stmt(unix.BPF_RET|unix.BPF_K, what) }
	// jump skips yes instructions or no instructions.
	jump := func(how uint16, k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | how | unix.BPF_K, K: k, Jt: yes, Jf: no}
	}
	const deny = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)

	filter := []unix.SockFilter{
		load(dataArch),
		jump(unix.BPF_JEQ, auditArch, 1, 0),
		end(unix.SECCOMP_RET_KILL_PROCESS),
		load(dataNumber),
		// Its flags are behind a pointer, which no filter can follow: whoever finds that it is missing takes the old one.
		jump(unix.BPF_JEQ, unix.SYS_CLONE3, 0, 1),
		end(unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)),
		// Threads, but no processes.
		jump(unix.BPF_JEQ, unix.SYS_CLONE, 0, 4),
		load(dataFlags),
		jump(unix.BPF_JSET, unix.CLONE_THREAD, 0, 1),
		end(unix.SECCOMP_RET_ALLOW),
		end(deny),
	}
	for _, number := range allowed {
		filter = append(filter, jump(unix.BPF_JEQ, number, 0, 1), end(unix.SECCOMP_RET_ALLOW))
	}
	filter = append(filter, end(deny))
	if len(filter) > unix.BPF_MAXINSNS {
		return errors.New("too many system calls are listed")
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
