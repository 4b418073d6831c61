//go:build linux

package inflight

import (
	"testing"
	"time"
)

func TestHowManySleptAtOnceIsCounted(t *testing.T) {
	begin := time.Now()
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	c := crowd{spans: []span{{at(0), at(4)}, {at(1), at(5)}, {at(3), at(9)}, {at(6), at(9)}}}
	if most, last := c.atOnce(begin); most != 3 || last != 6*time.Second {
		t.Errorf("got %d, the last after %v", most, last)
	}
}
