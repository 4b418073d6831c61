package logfmt

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
)

// handler writes a line as time, level, message and key=value. Values of several lines follow it, indented.
type handler struct {
	*shared
	level  slog.Level
	colour bool
	prefix string // of keys, by groups
	given  []slog.Attr
}

type shared struct {
	mu sync.Mutex // guards w, so that lines do not mix
	w  io.Writer
}

var _ slog.Handler = (*handler)(nil)

func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.given = append([]slog.Attr{}, h.given...)
	for _, a := range attrs {
		a.Key = h.prefix + a.Key
		c.given = append(c.given, a)
	}
	return &c
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	c := *h
	c.prefix += name + "."
	return &c
}

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	l := line{colour: h.colour}
	if !r.Time.IsZero() {
		l.paint(grey, r.Time.UTC().Format("2006-01-02T15:04:05.000Z"))
		l.head = append(l.head, ' ')
	}
	name, colour := levelName(r.Level)
	l.paint(colour, name)
	l.head = append(l.head, ' ')
	l.head = append(l.head, oneLine(r.Message)...)
	for _, a := range h.given {
		l.add("", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		l.add(h.prefix, a)
		return true
	})
	out := append(append(l.head, '\n'), l.below...)
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.w.Write(out)
	return err
}

const (
	grey   = "\x1b[90m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	green  = "\x1b[32m"
	plain  = "\x1b[0m"
)

func levelName(l slog.Level) (name, colour string) {
	switch {
	case l >= slog.LevelError:
		return "error", red
	case l >= slog.LevelWarn:
		return "warn ", yellow
	case l >= slog.LevelInfo:
		return "info ", green
	}
	return "debug", grey
}

// line is a log line in the making.
type line struct {
	colour bool
	head   []byte
	below  []byte // values of several lines
}

func (l *line) paint(colour, text string) {
	if !l.colour {
		l.head = append(l.head, text...)
		return
	}
	l.head = append(l.head, colour...)
	l.head = append(l.head, text...)
	l.head = append(l.head, plain...)
}

func (l *line) add(prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, b := range v.Group() {
			l.add(prefix, b)
		}
		return
	}
	if a.Key == "" {
		return
	}
	text := v.String()
	if v.Kind() == slog.KindTime {
		text = v.Time().UTC().Format(time.RFC3339Nano)
	}
	if strings.Contains(text, "\n") {
		l.addBlock(prefix+a.Key, text)
		return
	}
	l.head = append(l.head, ' ')
	l.paint(grey, prefix+a.Key+"=")
	l.head = append(l.head, quoted(text)...)
}

func (l *line) addBlock(key, text string) {
	l.below = append(l.below, "    "+key+":\n"...)
	for part := range strings.Lines(text) {
		l.below = append(l.below, "        "+oneLine(strings.TrimSuffix(part, "\n"))+"\n"...)
	}
}

// quoted is a value as it can be told from the next key: in quotes where it has blanks or what a terminal might obey.
func quoted(s string) string {
	if s == "" || strings.ContainsAny(s, " \"=") || oneLine(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// oneLine makes what a terminal might obey visible.
func oneLine(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return s
	}
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
