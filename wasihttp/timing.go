package wasihttp

import (
	"strconv"
	"time"
)

// timing is how long the parts of a request took until the head of its answer: a header cannot tell what comes after it.
type timing struct {
	queue    time.Duration // waiting for an instance
	instance time.Duration // making it
	running  time.Time     // since when it runs
}

// String is the value of a Server-Timing field, in milliseconds.
func (t *timing) String() string {
	b := make([]byte, 0, 64)
	for _, part := range []struct {
		name string
		d    time.Duration
	}{{"queue;dur=", t.queue}, {", instance;dur=", t.instance}, {", run;dur=", time.Since(t.running)}} {
		b = append(b, part.name...)
		b = strconv.AppendFloat(b, float64(part.d.Microseconds())/1000, 'f', -1, 64)
	}
	return string(b)
}
