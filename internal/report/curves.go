package report

import (
	"fmt"
	"html/template"
	"math"
	"unicode/utf8"
)

// Curves shows whole distributions: how long the fastest request took on the left, and on the right, each step a tenth of the one
// before, how long the slowest of 10, of 100, of 1000 took.
type Curves struct {
	Axis  string
	Unit  Unit
	Lines []Curve
}

// Curve is one distribution. Q rises from 0 and stays below 1.
type Curve struct {
	Label  string
	Series int
	Q, V   []float64
}

const (
	curvesHeight = 280.0
	curvesLeft   = 70.0
)

// Draw implements Chart.
func (k Curves) Draw() template.HTML {
	c := &canvas{}
	var low, high float64
	most := 0.9
	for _, l := range k.Lines {
		for i, v := range l.V {
			if v <= 0 {
				continue
			}
			if low == 0 || v < low {
				low = v
			}
			high = max(high, v)
			most = max(most, l.Q[i])
		}
	}
	y := logAxis(low, high, curvesHeight, 12)
	x := axis{from: 0, to: nines(most), x1: curvesLeft, x2: width - 44}
	for _, t := range y.ticks {
		c.line(x.x1, y.at(t), x.x2, y.at(t), "grid")
		c.text(x.x1-8, y.at(t)+4, "end", "tick", k.Unit.tick(t))
	}
	for _, t := range []struct {
		q    float64
		name string
	}{{0, "fastest"}, {0.5, "half"}, {0.9, "1 of 10 is slower"}, {0.99, "1 of 100"}, {0.999, "1 of 1,000"}, {0.9999, "1 of 10,000"}} {
		if at := x.at(nines(t.q)); t.q <= most {
			c.line(at, 12, at, curvesHeight, "grid")
			c.text(at, curvesHeight+19, "middle", "tick", t.name)
		}
	}
	c.text((x.x1+x.x2)/2, curvesHeight+38, "middle", "axis", k.Axis)
	legend := curvesLeft
	for _, l := range k.Lines {
		var points []point
		for i, v := range l.V {
			if v > 0 {
				points = append(points, point{x.at(nines(l.Q[i])), y.at(v)})
			}
		}
		c.path(points, series("curve", l.Series))
		for _, p := range points {
			c.mark(p.x, p.y, l.Series, series("fill small", l.Series))
		}
		c.mark(legend+6, curvesHeight+58, l.Series, series("fill", l.Series))
		c.text(legend+16, curvesHeight+62, "start", "label", l.Label)
		legend += float64(utf8.RuneCountInString(l.Label))*letter + 40
	}
	c.height = curvesHeight + 72
	return c.svg(k.Axis + ": " + sayAll(k.Lines, func(l Curve) string {
		if len(l.V) == 0 {
			return l.Label
		}
		return fmt.Sprintf("%s from %s to %s", l.Label, k.Unit.Format(l.V[0]), k.Unit.Format(l.V[len(l.V)-1]))
	}))
}

// nines is 1 for nine of ten, 2 for 99 of 100, and so on.
func nines(q float64) float64 { return -math.Log10(1 - q) }
