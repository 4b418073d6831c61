package wasihttp

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
)

// delivery is an answer on its way to w.
type delivery struct {
	*reply
	w    http.ResponseWriter
	out  *outlet
	said said
}

// run sends the answer to its end. Its error is how that came too early.
func (d *delivery) run() error {
	var p []byte
	for {
		select {
		case <-d.out.poke:
		case <-d.ended:
			d.out.abort() // nobody is left to finish it
		}
		var end ending
		p, end = d.out.take(p)
		if err := d.send(p, end); err != nil || end == finished {
			return err
		}
		if end == broken {
			_ = d.x.rc.Flush()
			return errUnfinished
		}
	}
}

// send sends a piece of the answer, with the head if that is still to be sent.
func (d *delivery) send(p []byte, end ending) error {
	if !d.said.sent {
		d.sending.Store(true)
		if d.x.ctx.Err() != nil {
			return context.Cause(d.x.ctx) // who ended the request cannot know that it is being answered
		}
		d.begin(p, end)
	} else if end == finished {
		addTrailers(d.w.Header(), d.out.trailers)
	}
	if len(p) > 0 && !d.silent() {
		if _, err := d.w.Write(p); err != nil {
			return d.gone(err)
		}
	}
	if end == finished {
		return nil // net/http sends it when the handler returns
	}
	if err := d.x.rc.Flush(); err != nil {
		return d.gone(err)
	}
	return nil
}

// gone is what a failed write means: the request was ended, or the client has gone.
func (d *delivery) gone(err error) error {
	d.x.fail(fmt.Errorf("%w: %w", errClientGone, err))
	return context.Cause(d.x.ctx)
}

// begin sends the head. Where the whole body is at hand the client is told how long it is.
func (d *delivery) begin(p []byte, end ending) {
	header := d.w.Header()
	d.response.fields.copyTo(header)
	if d.x.server.config.Sidecar.ServerTiming {
		header.Add("Server-Timing", d.timing.String())
	}
	if !d.response.fields.has("Content-Type") {
		header["Content-Type"] = nil // or net/http would guess one from what the guest says
	}
	length, _ := d.response.fields.length()
	trailers := end == finished && len(d.out.trailers) > 0
	if length < 0 && end == finished && !trailers && (!d.silent() || d.x.r.Method == http.MethodHead && len(p) > 0) {
		length = int64(len(p))
	}
	if length >= 0 && d.response.status != http.StatusNoContent {
		header.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	if trailers {
		addTrailers(header, d.out.trailers)
	}
	d.w.WriteHeader(d.response.status)
	d.said.sent = true
}

// addTrailers gives net/http trailers that were not announced.
func addTrailers(header, trailers http.Header) {
	for name, values := range trailers {
		header[http.TrailerPrefix+name] = values
	}
}
