// Package figures turns measured times into what the demo and the benchmarks
// print.
package figures

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sample is a list of measured values.
type Sample[T ~int64] []T

// Quantile is the value below which the part q of the sample is; 0 when there
// is none.
func (s Sample[T]) Quantile(q float64) T {
	if len(s) == 0 {
		return 0
	}
	sorted := s
	if !slices.IsSorted(s) {
		sorted = s.Sorted()
	}
	return sorted[max(int(math.Ceil(q*float64(len(sorted)))), 1)-1]
}

// Sorted is the same values in order: for who asks for many quantiles.
func (s Sample[T]) Sorted() Sample[T] { return slices.Sorted(slices.Values(s)) }

// Times is a sample of times.
type Times = Sample[time.Duration]

// Summary is a sample of times in a few words.
func Summary(t Times) string {
	return fmt.Sprintf("p50 %s, p99 %s, n %d", Short(t.Quantile(0.5)), Short(t.Quantile(0.99)), len(t))
}

// Short is a time with a unit that fits it.
func Short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// Timings are the parts of requests by name, from Server-Timing fields.
type Timings map[string]Times

// Add reads one field: "queue;dur=0.01, instance;dur=0.05, run;dur=0.3", in
// milliseconds.
func (t Timings) Add(field string) {
	for part := range strings.SplitSeq(field, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), ";dur=")
		ms, err := strconv.ParseFloat(value, 64)
		if ok && err == nil {
			t[name] = append(t[name], time.Duration(ms*float64(time.Millisecond)))
		}
	}
}
