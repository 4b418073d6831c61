package main

import (
	"fmt"
	"strings"
)

// host is the authority of every request that names no other: it is the same for each server, which their addresses are not.
const host = "mayfly.test"

// request is one question of the table.
type request struct {
	name string
	// head is the request line and the fields, a line each. HTTP/1.1 and a Host are added where it has none.
	head string
	body body
	// raw is what is sent in the place of head and body.
	raw string
	// answers is how many are to come, 0 for 1.
	answers int
	// hangUp says that the client sends nothing any more and lets the server know, which ends a body that is not whole.
	hangUp bool
	// own says that the answer is the server's own, not the guest's: its words are not compared.
	own bool
	// length says that Content-Length is the guest's, and is compared.
	length bool
}

// body is a request's, as it is sent.
type body struct{ field, wire string }

func sized(text string) body {
	return body{fmt.Sprintf("Content-Length: %d", len(text)), text}
}

func chunked(pieces ...string) body { return trailed("", pieces...) }

// trailed is a chunked body that trailers follow, a line each.
func trailed(trailers string, pieces ...string) body {
	var b strings.Builder
	for _, p := range pieces {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(p), p)
	}
	b.WriteString("0\r\n")
	for line := range strings.Lines(trailers) {
		b.WriteString(strings.TrimSuffix(line, "\n") + "\r\n")
	}
	b.WriteString("\r\n")
	return body{"Transfer-Encoding: chunked", b.String()}
}

// method of the request: an answer to HEAD has no body.
func (r *request) method() string {
	text := r.head
	if r.raw != "" {
		text = strings.TrimLeft(r.raw, "\r\n")
	}
	method, _, _ := strings.Cut(text, " ")
	return method
}

// wire is what is sent: the head, and what waits for a 100 (Continue) where the request asks for one.
func (r *request) wire() (head, rest string) {
	if r.raw != "" {
		return r.raw, ""
	}
	line, fields, _ := strings.Cut(r.head, "\n")
	if !strings.Contains(line, " HTTP/") {
		line += " HTTP/1.1"
	}
	lines := []string{line}
	if !hasField(fields, "host") {
		lines = append(lines, "Host: "+host)
	}
	if fields != "" {
		lines = append(lines, strings.Split(fields, "\n")...)
	}
	if r.body.field != "" {
		lines = append(lines, r.body.field)
	}
	head = strings.Join(lines, "\r\n") + "\r\n\r\n"
	if hasField(fields, "expect") {
		return head, r.body.wire
	}
	return head + r.body.wire, ""
}

func hasField(fields, name string) bool {
	for line := range strings.Lines(fields) {
		if n, _, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
