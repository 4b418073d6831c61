package wasihttp

import (
	"bytes"
	"io"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/internal/logfmt"
)

// maxLine bounds a line in the log, in bytes. Longer ones are split.
const maxLine = 16 << 10

// guestLog is where the standard error of all instances goes, in whole lines.
type guestLog struct {
	json bool

	mu sync.Mutex // guards w, so that lines do not mix
	w  io.Writer
}

// stream returns the standard error of one instance, which answers the request id.
func (g *guestLog) stream(id string) *guestStream { return &guestStream{log: g, id: id} }

// guestStream makes lines of what one instance writes.
type guestStream struct {
	log  *guestLog
	id   string
	part []byte // of a line whose end has not come
}

// Write never fails: that the log is gone is no reason for a guest to fail.
func (s *guestStream) Write(p []byte) (int, error) {
	if s.log.w == nil {
		return len(p), nil
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
	return len(p), nil
}

// Close writes a last line that has no end.
func (s *guestStream) Close() {
	if len(s.part) > 0 {
		s.write(s.append(nil, nil))
	}
}

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
