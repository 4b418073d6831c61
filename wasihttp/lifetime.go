package wasihttp

import (
	"context"
	"time"
)

// lifetime is how long the guest of a request may run: the context of its instance. It ends at a time, when somebody calls fail, or with the
// context that it is made of. Of each it knows the cause.
type lifetime struct {
	context.Context
	fail  context.CancelCauseFunc
	until time.Time
	alarm *alarm
}

var _ context.Context = (*lifetime)(nil)

// begin lets it begin. end must be called.
func (l *lifetime) begin(parent context.Context, now, until time.Time) {
	l.Context, l.fail = context.WithCancelCause(parent)
	l.until = until
	l.alarm = setAlarm(until.Sub(now), l)
}

// ring implements bell.
func (l *lifetime) ring() { l.fail(errTimeout) }

// end frees what it holds.
func (l *lifetime) end() {
	l.alarm.cancel()
	l.fail(nil)
}

// Deadline implements context.Context.
func (l *lifetime) Deadline() (time.Time, bool) { return l.until, true }

// Err implements context.Context.
func (l *lifetime) Err() error {
	err := l.Context.Err()
	if err != nil && context.Cause(l.Context) == errTimeout {
		return context.DeadlineExceeded
	}
	return err
}
