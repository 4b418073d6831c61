package wasihttp

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
)

// smallAnswer is a whole answer that is in net/http's buffer, and not at the client yet, when it has been written.
const smallAnswer = 1 << 10

// delivery is an answer on its way to w: what the goroutine of the request does while the guest has its own.
type delivery struct {
	*reply
	w        http.ResponseWriter
	client   <-chan struct{} // closed when the client has gone; nil once that is known
	release  func()          // ends that deadlines of the connection end the wait for the client; nil: they do not
	response *outgoingResponse
	out      *outlet
	said     said
}

// await waits until something has changed.
func (d *delivery) await() {
	select {
	case <-d.wake:
	case <-d.client:
		d.client = nil
		d.x.fail(context.Cause(d.x.r.Context()))
	}
}

// hurry sees that waiting for the client ends with the guest's time.
func (d *delivery) hurry() {
	if d.release == nil {
		d.release = d.x.releaseWhenOver(&d.sending)
	}
}

// stop ends that.
func (d *delivery) stop() {
	if d.release != nil {
		d.release()
		d.release = nil
	}
}

// end waits for the guest to go, and returns how it ended.
func (d *delivery) end() error {
	for !d.gone() {
		d.await()
	}
	return d.err
}

// refused is what the guest answered with in the place of a response, or how it ended behind that.
func (d *delivery) refused() error {
	if err := d.end(); err != nil {
		return err
	}
	return d.failed
}

// part ends the wait for the guest, whose answer is over. Where the request's body still comes it may want that, and is waited for.
func (d *delivery) part() error {
	if !d.x.in.whole() {
		_ = d.x.rc.Flush()
		d.awaitBody()
	}
	// From now on the guest's end ends the exchange, and that must not touch the connection: net/http has the last of the answer still.
	d.stop()
	if err := d.detach(); err != nil {
		d.x.logFailure(refusalFor(err).level, "given before", err)
	}
	return nil
}

// awaitBody waits until all of the request's body has come, or the guest is gone.
func (d *delivery) awaitBody() {
	stop := d.x.in.signal.Watch(func() { tell(d.wake) })
	defer stop()
	for !d.x.in.whole() && !d.gone() {
		d.await()
	}
}

// run sends the answer to its end. Its error is how that came too early.
func (d *delivery) run() error {
	var p []byte
	for {
		for !d.out.isDue() {
			if d.gone() {
				d.out.abort() // nobody is left to finish it
				break
			}
			d.await()
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
		if end != finished || len(p) > smallAnswer {
			d.hurry()
		}
		d.begin(p, end)
	} else if end == finished {
		addTrailers(d.w.Header(), d.out.trailers)
	}
	if len(p) > 0 && !d.silent(d.response) {
		if _, err := d.w.Write(p); err != nil {
			return d.lost(err)
		}
	}
	if end == finished {
		return nil // net/http sends it when the handler returns
	}
	if err := d.x.rc.Flush(); err != nil {
		return d.lost(err)
	}
	return nil
}

// lost is what a failed write means: the request was ended, or the client has gone.
func (d *delivery) lost(err error) error {
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
	if length < 0 && end == finished && !trailers && (!d.silent(d.response) || d.x.r.Method == http.MethodHead && len(p) > 0) {
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
