package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

var (
	errNoResponse = errors.New("the guest ended without an answer: it must call response-outparam.set")
	errClientGone = fmt.Errorf("the client is gone: %w", context.Canceled)
	errUnfinished = errors.New("the guest left its answer's body before it was whole: it must call outgoing-body.finish")
)

// refusedByGuest is the error-code that a guest answers with in the place of a response.
type refusedByGuest struct{ code *codeError }

func (e *refusedByGuest) Error() string {
	return "the guest answered with the error-code " + e.code.Error()
}

// reply is a component's answer to a request: the resource wasi:http/types.response-outparam. The guest's goroutine says what it is, that of
// the request sends it; it alone touches w, but for informational responses, which come before all else.
type reply struct {
	x       *exchange
	timing  timing
	wake    chan struct{} // takes a value when there is something new for who sends
	sending atomic.Bool   // something has been given to w

	mu       sync.Mutex // guards what follows
	set      bool       // the guest has answered, with one of these two
	response *outgoingResponse
	failed   error
	over     bool  // the guest is gone
	err      error // how it ended
	detached bool  // nobody waits for that

	// The guest's goroutine alone touches these.
	answered bool
	out      *outlet // of the response, when it is set
}

// begin makes r the answer to the request of x.
func (r *reply) begin(x *exchange) { r.x, r.wake = x, make(chan struct{}, 1) }

func replyOf(v component.Value) *reply { return v.Resource().(*reply) }

// responseOutparamSet is wasi:http/types.[static]response-outparam.set.
func responseOutparamSet(_ *component.Call, args []component.Value) (component.Value, error) {
	r := replyOf(args[0])
	v, ok := args[1].OK()
	if !ok {
		r.answer(nil, &refusedByGuest{codeOf(v)})
		return component.Value{}, nil
	}
	response := outgoingResponseOf(v)
	r.answer(response, r.check(response))
	return component.Value{}, nil
}

// answer is the guest's answer: a response, or an error. Who sends it is told when there is something to send.
func (r *reply) answer(response *outgoingResponse, failed error) {
	r.answered = true
	r.mu.Lock()
	r.set, r.response, r.failed = true, response, failed
	r.mu.Unlock()
	if failed != nil || r.out.isDue() {
		tell(r.wake)
	}
}

// tell tells who waits for c, whatever it was told already.
func tell(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// check looks at what the guest answers with, and makes its body ready to be sent.
func (r *reply) check(response *outgoingResponse) error {
	if response.status < http.StatusOK {
		return notHTTP("its status %d announces an answer and is none", response.status)
	}
	length, ok := response.fields.length()
	if !ok {
		return notHTTP("its fields Content-Length contradict each other")
	}
	silent := r.silent(response)
	if response.out == nil { // there is no body, and so it is whole
		if length > 0 && !silent {
			return notHTTP("it has no body, and a Content-Length of %d", length)
		}
		response.out = newOutlet(-1, true)
		response.out.ending = finished
	}
	r.out = response.out
	r.out.mu.Lock()
	defer r.out.mu.Unlock()
	r.out.poke = r.wake
	if silent {
		r.out.declared = -1 // what is announced is never sent
	}
	if r.out.ending == open && len(r.out.buf) < worthSending {
		r.out.soon()
	} else {
		r.out.push()
	}
	return nil
}

// silent reports whether a response has no body, whatever the guest says.
func (r *reply) silent(response *outgoingResponse) bool {
	return r.x.r.Method == http.MethodHead || response.status == http.StatusNoContent || response.status == http.StatusNotModified
}

// responseOutparamSendInformational is wasi:http/types.[method]response-outparam.send-informational.
func responseOutparamSendInformational(c *component.Call, args []component.Value) (component.Value, error) {
	c.Block()
	return codeResult(replyOf(args[0]).inform(int(args[1].U16()), fieldsOf(args[2]))), nil
}

// inform sends an informational response.
func (r *reply) inform(status int, f *fields) error {
	if status < http.StatusContinue || status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		return &codeError{code: codeProtocolError}
	}
	header := r.x.w.Header()
	f.copyTo(header)
	r.sending.Store(true)
	release := r.x.releaseWhenOver(&r.sending)
	defer release()
	if err := r.x.ctx.Err(); err != nil {
		return &codeError{code: codeConnectionTerminated, err: err}
	}
	r.x.w.WriteHeader(status)
	for _, e := range f.list {
		header.Del(e.name)
	}
	header.Set(requestIDField, r.x.id)
	return nil
}

// drop notes that the guest will not answer.
func (r *reply) drop() {
	if !r.answered {
		r.answer(nil, errNoResponse)
	}
}

// waits is called when the guest is about to wait: what it has said goes out.
func (r *reply) waits() {
	if r.out != nil {
		r.out.now()
	}
}

// deliver sends what the guest says until that is over, and returns how far it got.
func (r *reply) deliver() (said, error) {
	d := &delivery{reply: r, w: r.x.w, client: r.x.r.Context().Done()}
	defer d.stop()
	if r.x.in != &r.x.none {
		d.hurry()
	}
	for !r.known() {
		d.await()
	}
	switch {
	case !r.set && r.err != nil: // nothing of it changes any more
		return said{}, r.err
	case !r.set:
		return said{}, errNoResponse
	case r.failed != nil:
		return said{}, d.refused()
	}
	d.response, d.out = r.response, r.response.out
	d.said.status = d.response.status
	err := d.run()
	if err == nil {
		return d.said, d.part()
	}
	// The guest may not know yet.
	d.out.refuse(wasiio.ErrClosed)
	if ended := d.end(); ended != nil {
		err = ended
	}
	return d.said, err
}

// known reports whether it is clear what the answer is, or that there is none.
func (r *reply) known() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.set || r.over
}

// gone reports whether the guest is.
func (r *reply) gone() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// detach ends the wait for a guest whose answer is over, if it goes on. Else it returns how it ended.
func (r *reply) detach() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.detached = true
		r.x.detached = true
		r.x.server.tally.hold()
	}
	return r.err
}

// end notes how the guest ended.
func (r *reply) end(err error) {
	r.mu.Lock()
	r.over, r.err = true, err
	detached := r.detached
	r.mu.Unlock()
	if !detached {
		tell(r.wake)
		return
	}
	if err != nil {
		r.x.logFailure(refusalFor(err).level, "given before", err)
	}
	r.x.server.tally.release()
	r.x.done()
}
