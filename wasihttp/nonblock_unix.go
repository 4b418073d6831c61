//go:build unix

package wasihttp

import "syscall"

const nonblock = syscall.O_NONBLOCK
