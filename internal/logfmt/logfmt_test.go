package logfmt

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestLinesForPeople(t *testing.T) {
	for _, tc := range []struct {
		name string
		log  func(*slog.Logger)
		want string // after the time
	}{
		{"a message", func(l *slog.Logger) { l.Info("ready") }, "info  ready\n"},
		{"keys and values", func(l *slog.Logger) { l.Warn("slow", "took", time.Second, "n", 3) }, "warn  slow took=1s n=3\n"},
		{"values with blanks", func(l *slog.Logger) { l.Error("no", "error", errors.New("a b")) }, `error no error="a b"` + "\n"},
		{"an empty value", func(l *slog.Logger) { l.Debug("x", "v", "") }, `debug x v=""` + "\n"},
		{"values of several lines", func(l *slog.Logger) { l.Error("trap", "stack", "a()\nb()", "n", 1) }, "error trap n=1\n    stack:\n        a()\n        b()\n"},
		{"what a terminal would obey", func(l *slog.Logger) { l.Info("a\x1b[31mb", "v", "\x1b]0;x\a") }, `info  a\x1b[31mb v="\x1b]0;x\a"` + "\n"},
		{"and in several lines", func(l *slog.Logger) { l.Info("x", "v", "a\x1b[2J\nb\r") }, "info  x\n    v:\n        a\\x1b[2J\n        b\\r\n"},
		{"a message that pretends to be two", func(l *slog.Logger) { l.Info("a\nerror b") }, `info  a\nerror b` + "\n"},
		{"a logger with values", func(l *slog.Logger) { l.With("a", 1).Info("x", "b", 2) }, "info  x a=1 b=2\n"},
		{"groups", func(l *slog.Logger) { l.WithGroup("g").With("a", 1).Info("x", "b", 2, slog.Group("h", "c", 3)) }, "info  x g.a=1 g.b=2 g.h.c=3\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			tc.log(New(&b, Options{Debug: true}))
			at, rest, _ := strings.Cut(b.String(), " ")
			if rest != tc.want {
				t.Errorf("got  %q\nwant %q", rest, tc.want)
			}
			if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(at) {
				t.Errorf("the time is %q", at)
			}
		})
	}
}

func TestDebugLinesAreOnDemand(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var b bytes.Buffer
		New(&b, Options{JSON: asJSON}).Debug("x")
		if b.Len() > 0 {
			t.Errorf("JSON %t: got %q", asJSON, &b)
		}
	}
}

func TestColoursAreOnlyWhereAskedFor(t *testing.T) {
	var b bytes.Buffer
	New(&b, Options{Colour: true}).Error("x", "k", "v")
	if got := b.String(); !strings.Contains(got, red+"error"+plain) || !strings.HasSuffix(got, "v\n") {
		t.Errorf("got %q", got)
	}
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Colour(f) {
		t.Error("a file is no terminal")
	}
}

func TestAGuestsLineIsOneObject(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000000, time.UTC)
	got := AppendGuestLine([]byte("before"), at, "id", []byte("a\"b\\\x00\xff<é>"))
	var v map[string]string
	if err := json.Unmarshal(bytes.TrimPrefix(got, []byte("before")), &v); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if v["time"] != "2026-01-02T03:04:05.006Z" || v["stream"] != "stderr" || v["request"] != "id" || v["msg"] != "a\"b\\\x00\ufffd<é>" {
		t.Errorf("got %s", got)
	}
	if bytes.Count(got, []byte("\n")) != 1 {
		t.Errorf("more than a line: %q", got)
	}
}
