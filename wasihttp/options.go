package wasihttp

import (
	"math"
	"time"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// timeouts of a guest's request; below 0 there is none but the guest's own.
type timeouts struct {
	connect, firstByte, betweenBytes time.Duration
}

var noTimeouts = timeouts{-1, -1, -1}

// requestOptions is the resource wasi:http/types.request-options.
type requestOptions struct{ timeouts }

func requestOptionsOf(v component.Value) *requestOptions { return v.Resource().(*requestOptions) }

// requestOptionsNew is wasi:http/types.[constructor]request-options.
func requestOptionsNew(*component.Call, []component.Value) (component.Value, error) {
	return abi.Resource(&requestOptions{noTimeouts}), nil
}

// readTimeout returns the function that reads one, wasi:http/types.[method]request-options.connect-timeout and the like.
func readTimeout(of func(*timeouts) *time.Duration) component.HostFunc {
	return func(_ *component.Call, args []component.Value) (component.Value, error) {
		d := *of(&requestOptionsOf(args[0]).timeouts)
		if d < 0 {
			return abi.None(), nil
		}
		return abi.Some(abi.U64(uint64(d))), nil
	}
}

// setTimeout returns the function that sets one, wasi:http/types.[method]request-options.set-connect-timeout and the like.
func setTimeout(of func(*timeouts) *time.Duration) component.HostFunc {
	return func(_ *component.Call, args []component.Value) (component.Value, error) {
		d := time.Duration(-1)
		if v, ok := args[1].Some(); ok {
			d = time.Duration(min(v.U64(), math.MaxInt64))
		}
		*of(&requestOptionsOf(args[0]).timeouts) = d
		return good(true), nil
	}
}

func connectTimeout(t *timeouts) *time.Duration      { return &t.connect }
func firstByteTimeout(t *timeouts) *time.Duration    { return &t.firstByte }
func betweenBytesTimeout(t *timeouts) *time.Duration { return &t.betweenBytes }
