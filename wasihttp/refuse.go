package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/mayfly-run/mayfly/runtime/instance"
)

// Why the host ends a request.
var (
	errTimeout   = errors.New("the request took longer than MAYFLY_TIMEOUT")
	errCut       = errors.New("the server is stopping")
	errRedirects = errors.New("the guest redirects in circles")
	errZeroByte  = errors.New("the path has a zero byte")
	errNoText    = errors.New("the path is no UTF-8")
)

const (
	// refusalTime is how long the client may take to receive a refusal.
	refusalTime = 5 * time.Second
	// retryAfter is what a client that was turned away is told to wait, in seconds.
	retryAfter = 1
)

// refusal is an answer that the host gives in the guest's place.
type refusal struct {
	status int // 0: none, there is nobody to answer
	text   string
	level  slog.Level
	again  bool // the same request may succeed in a moment
}

// refusalFor says how to answer what went wrong. The text is the client's to read: it tells nothing of the guest's insides.
func refusalFor(err error) refusal {
	var trap *instance.TrapError
	var exit *instance.ExitError
	var code *refusedByGuest
	switch {
	case errors.Is(err, context.Canceled): // the client is gone: all other ends have a cause of their own
		return refusal{level: slog.LevelDebug}
	case errors.Is(err, errCut):
		return refusal{status: http.StatusServiceUnavailable, text: "the sidecar is stopping", level: slog.LevelWarn, again: true}
	case errors.Is(err, errQueueFull), errors.Is(err, errQueueLong), errors.Is(err, instance.ErrBudget):
		return refusal{status: http.StatusServiceUnavailable, text: "the sidecar has too much to do", level: slog.LevelWarn, again: true}
	case errors.Is(err, errTimeout):
		return refusal{status: http.StatusGatewayTimeout, text: "the sidecar took too long", level: slog.LevelWarn}
	case errors.Is(err, errBodyLarge):
		return refusal{status: http.StatusRequestEntityTooLarge, text: "the request's body is too large", level: slog.LevelDebug}
	case errors.Is(err, errBodyBroken):
		return refusal{status: http.StatusBadRequest, text: "the request's body broke off", level: slog.LevelDebug}
	case errors.Is(err, errZeroByte):
		return refusal{status: http.StatusBadRequest, text: "the path has a zero byte", level: slog.LevelDebug}
	case errors.Is(err, errNoText):
		return refusal{status: http.StatusBadRequest, text: "the path is no UTF-8", level: slog.LevelDebug}
	case errors.Is(err, errNotHTTP):
		return refusal{status: http.StatusBadGateway, text: "the sidecar's answer is no HTTP", level: slog.LevelError}
	case errors.Is(err, errRedirects):
		return refusal{status: http.StatusBadGateway, text: "the sidecar redirects in circles", level: slog.LevelError}
	case errors.Is(err, errNoResponse), errors.Is(err, errUnfinished), errors.As(err, &code):
		return refusal{status: http.StatusInternalServerError, text: "the sidecar gave no answer", level: slog.LevelError}
	case errors.As(err, &trap), errors.As(err, &exit):
		return refusal{status: http.StatusInternalServerError, text: "the sidecar failed", level: slog.LevelError}
	}
	return refusal{status: http.StatusInternalServerError, text: "the sidecar could not be started", level: slog.LevelError}
}

// refuse answers in the guest's place.
func (x *exchange) refuse(f refusal) {
	x.in.close(x.rc.SetReadDeadline) // to know whether the connection can go on
	_ = x.rc.SetWriteDeadline(time.Now().Add(refusalTime))
	h := x.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if f.again {
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	if x.r.ProtoMajor == 1 && x.mustClose() {
		h.Set("Connection", "close")
	}
	text := fmt.Sprintf("%d %s: %s\nrequest id: %s\n", f.status, http.StatusText(f.status), f.text, x.id)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	x.w.WriteHeader(f.status)
	_, _ = io.WriteString(x.w, text)
}

// logFailure says in the log what went wrong with a request.
func (x *exchange) logFailure(level slog.Level, outcome string, err error) {
	log := x.server.config.Log
	if !log.Enabled(x.r.Context(), level) {
		return
	}
	attributes := []any{"request", x.id, "method", x.r.Method, "path", x.r.URL.Path, "answer", outcome, "error", err}
	if x.queued+x.ran > 0 { // whose fault it is, this tells: the load's or the guest's
		attributes = append(attributes, "queue", x.queued.Round(time.Microsecond), "run", x.ran.Round(time.Microsecond))
	}
	var trap *instance.TrapError
	var stop *instance.StopError
	switch {
	case errors.As(err, &trap) && trap.Stack != "":
		attributes = append(attributes, "stack", trap.Stack)
	case errors.As(err, &stop) && stop.Stack != "":
		attributes = append(attributes, "stack", stop.Stack)
	}
	log.Log(x.r.Context(), level, "request failed", attributes...)
}
