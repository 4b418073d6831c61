package report

import (
	"fmt"
	"html/template"
	"slices"
)

// Ranges shows samples, a line each: where their middle is, and how far their slow end.
type Ranges struct {
	Axis string // what the numbers are, for a person
	Unit Unit
	Rows []Range
}

// Range is one sample.
type Range struct {
	Group, Label, Note string
	Series             int
	P50                float64
	P99, P999          float64 // 0: there are too few to tell
}

// Draw implements Chart.
func (r Ranges) Draw() template.HTML {
	var low, high float64
	labels := make([]row, len(r.Rows))
	for i, s := range r.Rows {
		if low == 0 || s.P50 < low {
			low = s.P50
		}
		high = max(high, s.P50, s.P99, s.P999)
		labels[i] = row{s.Group, s.Label, s.Note, s.Series}
	}
	words := r.Axis + ": " + sayAll(r.Rows, func(s Range) string {
		if s.P99 == 0 {
			return named(s.Group, s.Label) + " " + r.Unit.Format(s.P50)
		}
		return fmt.Sprintf("%s half below %s, 99 of 100 below %s", named(s.Group, s.Label), r.Unit.Format(s.P50), r.Unit.Format(s.P99))
	})
	scale := func(x1, x2 float64) axis { return logAxis(low*0.95, high, x1, x2) }
	return rows(labels, r.Unit, r.Axis+logarithmic, words, scale, func(c *canvas, a axis, i int, y float64) {
		s := r.Rows[i]
		c.line(a.at(s.P50), y, a.at(max(s.P50, s.P99, s.P999)), y, series("whisker", s.Series))
		for _, v := range []float64{s.P99, s.P999} {
			if v > 0 {
				c.line(a.at(v), y-5, a.at(v), y+5, series("whisker", s.Series))
			}
		}
		c.mark(a.at(s.P50), y, s.Series, series("fill", s.Series))
	}).svg(words)
}

// Bars compares amounts, a bar each.
type Bars struct {
	Axis string
	Unit Unit
	Log  bool // for amounts of which some are many times the others
	Rows []Bar
}

// Bar is one amount, and the least and the most it was; a second part of it stands lighter behind.
type Bar struct {
	Group, Label, Note string
	Series             int
	Value              float64
	Low, High          float64 // 0: not known
	Behind             float64 // 0: none
}

// Draw implements Chart.
func (b Bars) Draw() template.HTML {
	var low, high float64
	labels := make([]row, len(b.Rows))
	for i, s := range b.Rows {
		for _, v := range []float64{s.Value, s.Low, s.Behind} {
			if v > 0 && (low == 0 || v < low) {
				low = v
			}
		}
		high = max(high, s.Value, s.High, s.Behind)
		labels[i] = row{s.Group, s.Label, s.Note, s.Series}
	}
	scale := func(x1, x2 float64) axis {
		if b.Log {
			return logAxis(low/1.5, high, x1, x2)
		}
		return linearAxis(high, x1, x2)
	}
	name := b.Axis
	if b.Log {
		name += logarithmic
	}
	words := b.Axis + ": " + sayAll(b.Rows, func(s Bar) string { return named(s.Group, s.Label) + " " + b.Unit.Format(s.Value) })
	return rows(labels, b.Unit, name, words, scale, func(c *canvas, a axis, i int, y float64) {
		s := b.Rows[i]
		if s.Behind > 0 {
			c.rect(a.x1, y-7, a.at(s.Behind)-a.x1, 14, series("fill faint", s.Series))
		}
		c.rect(a.x1, y-7, a.at(s.Value)-a.x1, 14, series("fill", s.Series))
		if s.High > s.Low && s.Low > 0 {
			c.line(a.at(s.Low), y, a.at(s.High), y, "error")
			c.line(a.at(s.Low), y-4, a.at(s.Low), y+4, "error")
			c.line(a.at(s.High), y-4, a.at(s.High), y+4, "error")
		}
	}).svg(words)
}

func named(group, label string) string {
	if group == "" {
		return label
	}
	return group + ", " + label
}

func sayAll[T any](all []T, say func(T) string) string {
	var words string
	for s := range slices.Values(all) {
		words += say(s) + "; "
	}
	return words
}
