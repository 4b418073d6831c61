package wasihttp

import (
	"context"
	"io"
	"maps"
	"net/http"

	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// outletReader is the body of a request as net/http reads it.
type outletReader struct {
	*outlet
	ctx      context.Context
	trailers http.Header // filled at the end
	taken    []byte      // of it, the first are read
	read     int
}

var _ io.ReadCloser = (*outletReader)(nil)

// Read implements io.Reader.
func (r *outletReader) Read(p []byte) (int, error) {
	for r.read == len(r.taken) {
		var end ending
		if r.taken, end = r.take(r.taken); len(r.taken) > 0 {
			r.read = 0
			break
		}
		r.read = 0
		switch end {
		case finished:
			maps.Copy(r.trailers, r.outlet.trailers)
			return 0, io.EOF
		case broken:
			return 0, internal(errBodyLeft)
		}
		select {
		case <-r.poke:
		case <-r.ctx.Done():
			return 0, context.Cause(r.ctx)
		}
	}
	n := copy(p, r.taken[r.read:])
	r.read += n
	return n, nil
}

// Close implements io.Closer: the server, or the guest, is done with the request.
func (r *outletReader) Close() error {
	r.refuse(wasiio.ErrClosed)
	return nil
}
