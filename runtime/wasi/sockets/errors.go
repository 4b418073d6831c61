package sockets

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// code is wasi:sockets/network.error-code.
type code int

const (
	unknown code = iota
	accessDenied
	notSupported
	invalidArgument
	outOfMemory
	timeout
	concurrencyConflict
	notInProgress
	wouldBlock
	invalidState
	newSocketLimit
	addressNotBindable
	addressInUse
	remoteUnreachable
	connectionRefused
	connectionReset
	connectionAborted
	datagramTooLarge
	nameUnresolvable
	temporaryResolverFailure
	permanentResolverFailure
)

func (c code) Error() string { return fmt.Sprintf("error-code %d", int(c)) }

var codes = map[unix.Errno]code{
	unix.EACCES:          accessDenied,
	unix.EPERM:           accessDenied,
	unix.EOPNOTSUPP:      notSupported,
	unix.EAFNOSUPPORT:    notSupported,
	unix.EPROTONOSUPPORT: notSupported,
	unix.ENOPROTOOPT:     notSupported,
	unix.EINVAL:          invalidArgument,
	unix.EDESTADDRREQ:    invalidArgument,
	unix.ENOMEM:          outOfMemory,
	unix.ENOBUFS:         outOfMemory,
	unix.ETIMEDOUT:       timeout,
	unix.EALREADY:        concurrencyConflict,
	unix.EAGAIN:          wouldBlock,
	unix.EISCONN:         invalidState,
	unix.ENOTCONN:        invalidState,
	unix.EMFILE:          newSocketLimit,
	unix.ENFILE:          newSocketLimit,
	unix.EADDRNOTAVAIL:   addressNotBindable,
	unix.EADDRINUSE:      addressInUse,
	unix.EHOSTUNREACH:    remoteUnreachable,
	unix.EHOSTDOWN:       remoteUnreachable,
	unix.ENETUNREACH:     remoteUnreachable,
	unix.ENETDOWN:        remoteUnreachable,
	unix.ECONNREFUSED:    connectionRefused,
	unix.ECONNRESET:      connectionReset,
	unix.ECONNABORTED:    connectionAborted,
	unix.EMSGSIZE:        datagramTooLarge,
}

// codeOf returns what a guest is told of an error; false when it has nothing to do with sockets.
func codeOf(err error) (code, bool) {
	var c code
	if errors.As(err, &c) {
		return c, true
	}
	var errno unix.Errno
	if errors.As(err, &errno) {
		c, ok := codes[errno]
		return c, ok
	}
	return unknown, false
}

// result makes what a function returns: a result<T, error-code>, or the end of the guest.
func result(v component.Value, err error) (component.Value, error) {
	if err == nil {
		return abi.OK(v), nil
	}
	var trap *abi.Trap
	if errors.As(err, &trap) {
		return component.Value{}, trap
	}
	c, _ := codeOf(err)
	return abi.Err(abi.Enum(int(c))), nil
}

// networkErrorCode is wasi:sockets/network.network-error-code.
func networkErrorCode(_ *component.Call, args []component.Value) (component.Value, error) {
	if c, ok := codeOf(wasiio.ErrorOf(args[0])); ok {
		return abi.Some(abi.Enum(int(c))), nil
	}
	return abi.None(), nil
}
