package wasihttp

import (
	"testing"
	"time"
)

// chime is a bell that can be heard.
type chime chan struct{}

func (c chime) ring() { c <- struct{}{} }

func TestAnAlarmRingsForWhomItWasSetLast(t *testing.T) {
	for range 1000 {
		early, late := make(chime, 1), make(chime, 1)
		setAlarm(time.Hour, early).cancel()
		a := setAlarm(time.Nanosecond, late)
		<-late
		a.cancel()
		select {
		case <-early:
			t.Fatal("it rang when it had been cancelled")
		default:
		}
	}
}

func TestAnAlarmThatRingsIsNotSetForAnother(t *testing.T) {
	c := make(chime)
	a := setAlarm(0, c)
	for a.timer.Stop() { // it has not begun to
		a.timer.Reset(0)
	}
	a.cancel()
	<-c
	other := setAlarm(time.Hour, make(chime))
	defer other.cancel()
	if other == a {
		t.Error("it is")
	}
}
