package report

import (
	"fmt"
	"html"
	"html/template"
	"strings"
)

// canvas is a drawing under way. All coordinates are in pixels from the upper left corner; colours are classes of the page's style, so
// that they follow its light and dark.
type canvas struct {
	b      strings.Builder
	height float64
}

// width of every drawing. The page scales it to where it stands.
const width = 880.0

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(&c.b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`+"\n", x1, y1, x2, y2, class)
}

func (c *canvas) rect(x, y, w, h float64, class string) {
	fmt.Fprintf(&c.b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="%s"/>`+"\n", x, y, max(w, 0), h, class)
}

// text stands on the line y; anchor is start, middle or end.
func (c *canvas) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(&c.b, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class, html.EscapeString(text))
}

func (c *canvas) path(points []point, class string) {
	c.b.WriteString(`<polyline points="`)
	for i, p := range points {
		if i > 0 {
			c.b.WriteByte(' ')
		}
		fmt.Fprintf(&c.b, "%.1f,%.1f", p.x, p.y)
	}
	fmt.Fprintf(&c.b, `" class="%s"/>`+"\n", class)
}

type point struct{ x, y float64 }

// mark is a small shape around a point, another for each series: colour alone tells nothing to some.
func (c *canvas) mark(x, y float64, series int, class string) {
	const r = 4.5
	shapes := [][]point{
		{}, // a circle
		{{-r, -r}, {r, -r}, {r, r}, {-r, r}},
		{{0, -r - 1}, {r + 1, r}, {-r - 1, r}},
		{{0, -r - 1.5}, {r + 1.5, 0}, {0, r + 1.5}, {-r - 1.5, 0}},
		{{0, r + 1}, {r + 1, -r}, {-r - 1, -r}},
		{{-r - 1, 0}, {r, -r - 1}, {r, r + 1}},
		{{-r - 1, -2}, {-2, -2}, {-2, -r - 1}, {2, -r - 1}, {2, -2}, {r + 1, -2}, {r + 1, 2}, {2, 2}, {2, r + 1}, {-2, r + 1}, {-2, 2}, {-r - 1, 2}},
	}
	shape := shapes[series%len(shapes)]
	if len(shape) == 0 {
		fmt.Fprintf(&c.b, `<circle cx="%.1f" cy="%.1f" r="%.1f" class="%s"/>`+"\n", x, y, r+0.3, class)
		return
	}
	c.b.WriteString(`<polygon points="`)
	for i, p := range shape {
		if i > 0 {
			c.b.WriteByte(' ')
		}
		fmt.Fprintf(&c.b, "%.1f,%.1f", x+p.x, y+p.y)
	}
	fmt.Fprintf(&c.b, `" class="%s"/>`+"\n", class)
}

// svg is the drawing. What it shows is told in words for who cannot see it.
func (c *canvas) svg(words string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`+"\n%s</svg>", width, c.height, html.EscapeString(words), c.b.String()))
}

// series is the class of what belongs to one series, of so many colours.
func series(kind string, n int) string { return fmt.Sprintf("%s s%d", kind, n%colours) }

const colours = 8
