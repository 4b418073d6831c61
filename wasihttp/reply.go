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
	timing  *timing
	ended   chan struct{} // closed when the guest is gone
	set     chan struct{} // closed when the guest has answered
	sending atomic.Bool   // something has been given to w

	// These are set before set is closed.
	response *outgoingResponse // nil: an error
	failed   error

	err error // how the guest ended; set before ended is closed

	mu       sync.Mutex // guards what follows
	over     bool       // the guest is gone
	detached bool       // nobody waits for that

	answered bool // the guest's goroutine alone touches it
}

func newReply(x *exchange) *reply {
	return &reply{x: x, timing: &timing{}, ended: make(chan struct{}), set: make(chan struct{})}
}

func replyOf(v component.Value) *reply { return v.Resource().(*reply) }

// responseOutparamSet is wasi:http/types.[static]response-outparam.set.
func responseOutparamSet(_ *component.Call, args []component.Value) (component.Value, error) {
	r := replyOf(args[0])
	r.answered = true
	v, ok := args[1].OK()
	if !ok {
		r.failed = &refusedByGuest{codeOf(v)}
		close(r.set)
		return component.Value{}, nil
	}
	r.response = outgoingResponseOf(v)
	r.failed = r.check()
	close(r.set)
	return component.Value{}, nil
}

// check looks at what the guest answers with, and makes its body ready to be sent.
func (r *reply) check() error {
	status := r.response.status
	if status < http.StatusOK {
		return notHTTP("its status %d announces an answer and is none", status)
	}
	length, ok := r.response.fields.length()
	if !ok {
		return notHTTP("its fields Content-Length contradict each other")
	}
	out := r.response.out
	if out == nil { // there is no body, and so it is whole
		if length > 0 && !r.silent() {
			return notHTTP("it has no body, and a Content-Length of %d", length)
		}
		out = newOutlet(-1, true)
		out.ending = finished
		r.response.out = out
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	if r.silent() {
		out.declared = -1 // what is announced is never sent
	}
	if out.ending == open && len(out.buf) < worthSending {
		out.soon()
	} else {
		out.push()
	}
	return nil
}

// silent reports whether the answer has no body, whatever the guest says.
func (r *reply) silent() bool {
	status := r.response.status
	return r.x.r.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
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
		r.answered = true
		r.failed = errNoResponse
		close(r.set)
	}
}

// waits is called when the guest is about to wait: what it has said goes out.
func (r *reply) waits() {
	if r.answered && r.response != nil && r.response.out != nil {
		r.response.out.now()
	}
}

// deliver sends what the guest says until that is over, and returns how far it got.
func (r *reply) deliver() (said, error) {
	release := r.x.releaseWhenOver(&r.sending)
	defer release()
	select {
	case <-r.set:
	case <-r.ended:
		if r.err != nil {
			return said{}, r.err
		}
		select {
		case <-r.set:
		default:
			return said{}, errNoResponse
		}
	}
	if r.failed != nil {
		return said{}, r.refused()
	}
	d := &delivery{reply: r, w: r.x.w, out: r.response.out, said: said{status: r.response.status}}
	err := d.run()
	if err == nil {
		return d.said, r.part()
	}
	// The guest may not know yet.
	d.out.refuse(wasiio.ErrClosed)
	<-r.ended
	if r.err != nil {
		err = r.err
	}
	return d.said, err
}

// refused is what the guest answered with in the place of a response, or how it ended behind that.
func (r *reply) refused() error {
	<-r.ended
	if r.err != nil {
		return r.err
	}
	return r.failed
}

// part ends the wait for the guest, whose answer is over. Where the request's body still comes it may want that, and is waited for.
func (r *reply) part() error {
	if !r.x.in.whole() {
		_ = r.x.rc.Flush()
		r.awaitBody()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.detached = true
		r.x.detached = true
		r.x.server.tally.hold()
		return nil
	}
	if r.err != nil {
		r.x.logFailure(refusalFor(r.err).level, "given before", r.err)
	}
	return nil
}

// awaitBody waits until all of the request's body has come, or the guest is gone.
func (r *reply) awaitBody() {
	come := make(chan struct{}, 1)
	stop := r.x.in.signal.Watch(func() {
		select {
		case come <- struct{}{}:
		default:
		}
	})
	defer stop()
	for !r.x.in.whole() {
		select {
		case <-come:
		case <-r.ended:
			return
		}
	}
}

// end notes how the guest ended.
func (r *reply) end(err error) {
	r.mu.Lock()
	r.over, r.err = true, err
	detached := r.detached
	r.mu.Unlock()
	close(r.ended)
	if !detached {
		return
	}
	if err != nil {
		r.x.logFailure(refusalFor(err).level, "given before", err)
	}
	r.x.server.tally.release()
	r.x.done()
}
