// Package logfmt writes log lines: for people as short text, for machines as JSON.
//
// Engine and command line share it. It is a [slog.Handler] and knows nothing of what is logged.
package logfmt

import (
	"io"
	"log/slog"
	"os"
)

// Options says how lines look.
type Options struct {
	JSON   bool
	Debug  bool // debug lines too
	Colour bool
}

// New returns a logger that writes whole lines to w.
func New(w io.Writer, o Options) *slog.Logger {
	level := slog.LevelInfo
	if o.Debug {
		level = slog.LevelDebug
	}
	if o.JSON {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(&handler{shared: &shared{w: w}, level: level, colour: o.Colour})
}

// Colour reports whether f is a terminal that a person would want colours on.
func Colour(f *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
