package logfmt

import (
	"bytes"
	"encoding/json"
	"time"
)

// guestLine is a line that a guest wrote to its standard error. Its field names are those of a log line where they mean the same.
type guestLine struct {
	Time    time.Time `json:"time"`
	Stream  string    `json:"stream"`
	Request string    `json:"request,omitempty"`
	Message string    `json:"msg"`
}

// AppendGuestLine appends a guest's line, which has no newline, as one JSON object and a newline.
func AppendGuestLine(out []byte, t time.Time, request string, line []byte) []byte {
	b := bytes.NewBuffer(out)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	// Strings and a time of this century cannot fail to encode.
	_ = e.Encode(guestLine{Time: t, Stream: "stderr", Request: request, Message: string(line)})
	return b.Bytes()
}
