package main

import "io"

// maxLastSaid bounds what is kept of what a command said, in bytes.
const maxLastSaid = 1 << 10

// lastSaid passes on what a command writes and keeps the end of it: the message of a panic is there, and nowhere else.
type lastSaid struct {
	w   io.Writer
	end []byte
}

func (l *lastSaid) Write(p []byte) (int, error) {
	n, err := l.w.Write(p)
	l.end = append(l.end, p[max(0, n-maxLastSaid):max(0, n)]...)
	l.end = l.end[max(0, len(l.end)-maxLastSaid):]
	return n, err
}

// String is what was said last, with an end of line.
func (l *lastSaid) String() string {
	if len(l.end) == 0 || l.end[len(l.end)-1] == '\n' {
		return string(l.end)
	}
	return string(l.end) + "\n"
}
