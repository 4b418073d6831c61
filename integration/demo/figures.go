package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sample is a list of times with its middle and its slow end.
type sample []time.Duration

func (s sample) String() string {
	if len(s) == 0 {
		return "none"
	}
	s = slices.Sorted(slices.Values(s))
	return fmt.Sprintf("p50 %s, p99 %s, n %d", short(s[len(s)/2]), short(s[(len(s)-1)*99/100]), len(s))
}

func short(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// timings are the parts of requests by name, from Server-Timing fields.
type timings map[string]sample

// add reads one field: "queue;dur=0.01, instance;dur=0.05, run;dur=0.3", in
// milliseconds.
func (t timings) add(field string) {
	for part := range strings.SplitSeq(field, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), ";dur=")
		ms, err := strconv.ParseFloat(value, 64)
		if ok && err == nil {
			t[name] = append(t[name], time.Duration(ms*float64(time.Millisecond)))
		}
	}
}

// instances counts the different instances among answers, each one a line.
func instances(answers string) (answered, different int, err error) {
	seen := map[string]bool{}
	for line := range strings.Lines(answers) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		var a struct{ Instance string }
		if err := json.Unmarshal([]byte(line), &a); err != nil || a.Instance == "" {
			return 0, 0, fmt.Errorf("an answer names no instance: %q", line)
		}
		answered++
		seen[a.Instance] = true
	}
	return answered, len(seen), nil
}
