package report

import (
	"fmt"
	"math"

	"github.com/mayfly-run/mayfly/internal/figures"
)

// Unit is what a chart's numbers are.
type Unit int

const (
	Microseconds Unit = iota
	Bytes
	PerSecond
)

// Format writes a number with its unit, in few digits.
func (u Unit) Format(v float64) string {
	switch u {
	case Bytes:
		if v >= 1e9 {
			return figures.Three(v/1e9) + " GB"
		}
		return figures.Three(v/1e6) + " MB"
	case PerSecond:
		return thousands(v) + "/s"
	}
	switch {
	case v >= 1e6:
		return figures.Three(v/1e6) + " s"
	case v >= 1000:
		return figures.Three(v/1000) + " ms"
	}
	return figures.Three(v) + " µs"
}

// tick is Format for the round numbers of an axis.
func (u Unit) tick(v float64) string {
	scale := func(name string, by float64) string { return fmt.Sprintf("%g %s", math.Round(v/by*1e6)/1e6, name) }
	switch {
	case v == 0:
		return "0"
	case u == Bytes && v >= 1e9:
		return scale("GB", 1e9)
	case u == Bytes:
		return scale("MB", 1e6)
	case u == PerSecond:
		return thousands(v)
	case v >= 1e6:
		return scale("s", 1e6)
	case v >= 1000:
		return scale("ms", 1000)
	}
	return scale("µs", 1)
}

func thousands(v float64) string {
	if v < 10 {
		return figures.Three(v)
	}
	text := fmt.Sprintf("%.0f", v)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// logarithmic follows the name of an axis whose steps are factors.
const logarithmic = " (logarithmic: the same step is the same factor)"

// axis maps numbers to pixels.
type axis struct {
	from, to float64 // numbers
	x1, x2   float64 // pixels
	log      bool
	ticks    []float64
}

// logAxis is one whose steps are factors. It begins and ends at ticks that hold all of the numbers.
func logAxis(low, high, x1, x2 float64) axis {
	if low <= 0 || high <= 0 {
		low, high = 1, 10
	}
	steps := []float64{1, 2, 5}
	if high/low > 1e3 {
		steps = []float64{1}
	}
	var ticks []float64
	for e := math.Floor(math.Log10(low)) - 1; e <= math.Ceil(math.Log10(high))+1; e++ {
		for _, s := range steps {
			ticks = append(ticks, s*math.Pow(10, e))
		}
	}
	first, last := 0, len(ticks)-1
	for ticks[first+1] <= low*(1+1e-9) {
		first++
	}
	for ticks[last-1] >= high*(1-1e-9) && last-1 > first {
		last--
	}
	ticks = ticks[first : last+1]
	return axis{ticks[0], ticks[len(ticks)-1], x1, x2, true, ticks}
}

// linearAxis is one from 0 on.
func linearAxis(high, x1, x2 float64) axis {
	if high <= 0 {
		high = 1
	}
	decade := math.Pow(10, math.Floor(math.Log10(high)))
	step := decade
	for _, part := range []float64{0.5, 0.2} {
		if high/(decade*part) <= 6 {
			step = decade * part
		}
	}
	if high/step > 6 {
		step = 2 * decade
	}
	a := axis{x1: x1, x2: x2}
	for i := 0.0; a.to < high; i++ {
		a.to = i * step
		a.ticks = append(a.ticks, a.to)
	}
	return a
}

func (a axis) at(v float64) float64 {
	part := (v - a.from) / (a.to - a.from)
	if a.log {
		part = math.Log(max(v, a.from)/a.from) / math.Log(a.to/a.from)
	}
	return a.x1 + part*(a.x2-a.x1)
}

// across draws the axis from left to right, with a line upwards at each tick.
func (a axis) across(c *canvas, top, bottom float64, u Unit, name string) {
	for _, t := range a.ticks {
		x := a.at(t)
		c.line(x, top, x, bottom, "grid")
		c.text(x, bottom+16, "middle", "tick", u.tick(t))
	}
	c.text((a.x1+a.x2)/2, bottom+34, "middle", "axis", name)
}
