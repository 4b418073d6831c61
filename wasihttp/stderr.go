package wasihttp

import (
	"bytes"
	"io"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/internal/logfmt"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

const (
	// maxLine bounds a line in the log, in bytes. Longer ones are split.
	maxLine = 16 << 10
	// guestStreamSize is what a component may write at once.
	guestStreamSize = 64 << 10
)

// guestLog is where the standard error of all instances goes, in whole lines.
type guestLog struct {
	json bool

	mu sync.Mutex // guards w, so that lines do not mix
	w  io.Writer
}

// guestStream makes lines of what one instance writes. Components write to it; modules to guestStderr.
type guestStream struct {
	wasiio.AlwaysReady
	log  *guestLog
	id   string
	part []byte // of a line whose end has not come
}

var _ wasiio.OutputStream = (*guestStream)(nil)

// begin makes s the standard error of an instance, which answers the request id.
func (s *guestStream) begin(log *guestLog, id string) { s.log, s.id = log, id }

// CheckWrite implements wasiio.OutputStream.
func (s *guestStream) CheckWrite() (int, error) { return guestStreamSize, nil }

// Flush implements wasiio.OutputStream.
func (s *guestStream) Flush() error { return nil }

// Write never fails: that the log is gone is no reason for a guest to fail.
func (s *guestStream) Write(p []byte) error {
	if s.log.w == nil {
		return nil
	}
	var out []byte
	for rest := p; len(rest) > 0; {
		line := rest
		end := bytes.IndexByte(line, '\n')
		if end >= 0 {
			line = line[:end+1]
		}
		room := maxLine - len(s.part)
		switch {
		case end >= 0 && end <= room:
			out = s.append(out, line[:end])
			rest = rest[end+1:]
		case len(line) > room:
			out = s.append(out, line[:room])
			rest = rest[room:]
		default:
			s.part = append(s.part, line...)
			rest = nil
		}
		if len(out) >= maxLine {
			s.write(out)
			out = out[:0]
		}
	}
	s.write(out)
	return nil
}

// Close writes a last line that has no end.
func (s *guestStream) Close() error {
	if len(s.part) > 0 {
		s.write(s.append(nil, nil))
	}
	return nil
}

// guestStderr is the stream as modules write to it.
type guestStderr struct{ guestStream }

// Write implements io.Writer.
func (s *guestStderr) Write(p []byte) (int, error) { return len(p), s.guestStream.Write(p) }

// append appends the line that line completes to out.
func (s *guestStream) append(out, line []byte) []byte {
	if len(s.part) > 0 {
		line = append(s.part, line...)
		s.part = s.part[:0]
	}
	if s.log.json {
		return logfmt.AppendGuestLine(out, time.Now(), s.id, line)
	}
	out = append(out, line...)
	return append(out, '\n')
}

func (s *guestStream) write(lines []byte) {
	if len(lines) == 0 {
		return
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	_, _ = s.log.w.Write(lines)
}
