package wasihttp

import (
	"sync"
	"time"
)

// alarm calls ring of what it is set for when a time is over. Most are cancelled before, and are used again: a request sets two.
type alarm struct {
	timer *time.Timer
	bell  bell
}

// bell is what an alarm is set for. ring is called on a goroutine of its own.
type bell interface{ ring() }

var alarms sync.Pool // of *alarm, none of which is set

// setAlarm sets an alarm. cancel must be called.
func setAlarm(after time.Duration, b bell) *alarm {
	a, ok := alarms.Get().(*alarm)
	if !ok {
		a = &alarm{bell: b}
		a.timer = time.AfterFunc(after, a.ring)
		return a
	}
	a.bell = b
	a.timer.Reset(after)
	return a
}

func (a *alarm) ring() { a.bell.ring() }

// cancel gives an alarm back; it must not be used any more. What it is set for may be ringing still.
func (a *alarm) cancel() {
	if a.timer.Stop() { // else its goroutine has it, or had
		a.bell = nil
		alarms.Put(a)
	}
}
