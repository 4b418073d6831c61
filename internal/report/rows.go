package report

import "unicode/utf8"

// What charts that have a row for each thing are made of, in pixels.
const (
	rowHeight   = 21.0
	groupHeight = 25.0
	letter      = 6.7 // as wide as letters are, more or less
	belowAxis   = 44.0
)

// row is what a chart shows in a line.
type row struct {
	group, label, note string
	series             int
}

// rows draws the labels of rows, groups where they begin, and notes on the right, and calls each with the middle of each row.
// The axis that scale makes of the room between stands below.
func rows(all []row, u Unit, name, words string, scale func(x1, x2 float64) axis, each func(c *canvas, a axis, i int, y float64)) *canvas {
	c := &canvas{}
	left, right := 0.0, 0.0
	for _, r := range all {
		left = max(left, float64(utf8.RuneCountInString(r.label))*letter+26)
		right = max(right, float64(utf8.RuneCountInString(r.note))*letter+14)
	}
	a := scale(left, width-max(right, 30))
	height, group := 4.0, ""
	for _, r := range all {
		if r.group != group {
			group = r.group
			height += groupHeight
		}
		height += rowHeight
	}
	c.height = height + belowAxis
	a.across(c, 4, height, u, name)
	y := 4.0
	group = ""
	for i, r := range all {
		if r.group != group {
			group = r.group
			c.text(0, y+groupHeight-8, "start", "group", group)
			y += groupHeight
		}
		middle := y + rowHeight/2
		c.text(left-8, middle+4, "end", "label", r.label)
		each(c, a, i, middle)
		if r.note != "" {
			c.text(a.x2+10, middle+4, "start", "note", r.note)
		}
		y += rowHeight
	}
	return c
}
