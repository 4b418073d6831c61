package report

import (
	"math"
	"slices"
	"testing"
)

func TestTheTicksOfALogarithmicAxisHoldTheNumbers(t *testing.T) {
	for _, c := range []struct {
		name      string
		low, high float64
		want      []float64
	}{
		{"less than a factor of ten", 12, 70, []float64{10, 20, 50, 100}},
		{"on the ticks", 10, 100, []float64{10, 20, 50, 100}},
		{"four factors of ten", 30, 200000, []float64{10, 100, 1000, 10000, 100000, 1000000}},
		{"one number", 30, 30, []float64{20, 50}},
		{"below one", 0.03, 0.4, []float64{0.02, 0.05, 0.1, 0.2, 0.5}},
		{"nothing", 0, 0, []float64{1, 2, 5, 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := logAxis(c.low, c.high, 0, 100)
			same := slices.EqualFunc(a.ticks, c.want, func(x, y float64) bool { return math.Abs(x/y-1) < 1e-9 })
			if !same || a.at(a.from) != 0 || math.Abs(a.at(a.to)-100) > 1e-9 {
				t.Errorf("ticks %v, want %v; from %v to %v", a.ticks, c.want, a.at(a.from), a.at(a.to))
			}
		})
	}
}

func TestTheTicksOfALinearAxisAreFewAndRound(t *testing.T) {
	for _, c := range []struct {
		high float64
		want []float64
	}{
		{16500, []float64{0, 5000, 10000, 15000, 20000}},
		{100, []float64{0, 20, 40, 60, 80, 100}},
		{0.7, []float64{0, 0.2, 0.4, 0.6, 0.8}},
		{9, []float64{0, 2, 4, 6, 8, 10}},
		{0, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
	} {
		a := linearAxis(c.high, 0, 100)
		if !slices.EqualFunc(a.ticks, c.want, func(x, y float64) bool { return math.Abs(x-y) < 1e-9 }) {
			t.Errorf("up to %v: ticks %v, want %v", c.high, a.ticks, c.want)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		unit         Unit
		v            float64
		format, tick string
	}{
		{Microseconds, 85, "85.0 µs", "85 µs"},
		{Microseconds, 5000, "5.00 ms", "5 ms"},
		{Microseconds, 1.2e6, "1.20 s", "1.2 s"},
		{Bytes, 700000, "0.70 MB", "0.7 MB"},
		{Bytes, 2e9, "2.00 GB", "2 GB"},
		{PerSecond, 15000, "15,000/s", "15,000"},
		{PerSecond, 1234567, "1,234,567/s", "1,234,567"},
		{PerSecond, 5.91, "5.91/s", "5.91"},
		{Microseconds, 0, "0.00 µs", "0"},
	} {
		if got := c.unit.Format(c.v); got != c.format {
			t.Errorf("%v: %s, want %s", c.v, got, c.format)
		}
		if got := c.unit.tick(c.v); got != c.tick {
			t.Errorf("%v: tick %s, want %s", c.v, got, c.tick)
		}
	}
}
