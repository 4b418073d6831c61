package main

import (
	"regexp"
	"slices"
	"strings"
)

// group is requests about one thing.
type group struct {
	name     string
	own      bool                // of all of them
	read     func(string) string // brings what may differ in two bodies to one form; nil: nothing may
	requests []request
}

// table is what the guest of one behaviour a path is asked.
func table() []group {
	return []group{
		{name: "method", read: asSeen, requests: methods},
		{name: "target", read: asSeen, requests: targets},
		{name: "field", read: asSeen, requests: fields},
		{name: "body", read: withoutEmptyTrailers, requests: bodies},
		{name: "status", requests: statuses},
		{name: "answer", requests: answers},
		{name: "rule", requests: rules},
		{name: "bad-guest", own: true, requests: badGuests},
		{name: "broken", requests: broken},
		{name: "system", read: withoutNumbers, requests: system},
		{name: "outgoing", read: asReported, requests: outgoing},
		{name: "relay", requests: relayed},
		{name: "malformed", own: true, requests: malformed},
	}
}

// asSeen is a request as the guest tells it: the order of fields with different names means nothing, and X-Request-Id is mayfly's.
func asSeen(body string) string {
	var head, fields []string
	for line := range strings.Lines(body) {
		switch name, isField := strings.CutPrefix(line, "header: "); {
		case strings.HasPrefix(name, "x-request-id="):
		case isField:
			fields = append(fields, line)
		default:
			head = append(head, line)
		}
	}
	name := func(line string) string {
		n, _, _ := strings.Cut(line, "=")
		return n
	}
	slices.SortStableFunc(fields, func(a, b string) int { return strings.Compare(name(a), name(b)) })
	return strings.Join(slices.Concat(head, fields), "")
}

// withoutEmptyTrailers is the report of a body: trailers that are none and trailers that are there and empty say the same.
func withoutEmptyTrailers(body string) string {
	if text, ok := strings.CutSuffix(body, "trailers: "); ok {
		return text + "trailers: none\n"
	}
	return body
}

var ownWords = regexp.MustCompile(`(?m)^read: .*$`)

// asReported is an answer that a guest got, as it reports it: the order of fields means nothing, nor do empty trailers, and why a body
// broke off each host says in words of its own.
func asReported(body string) string {
	body, _ = strings.CutSuffix(body, "\ntrailers:\n")
	body = ownWords.ReplaceAllString(body, "read: failed")
	head, rest, whole := strings.Cut(body, "\n\n")
	if !whole {
		return body
	}
	lines := strings.Split(head, "\n")
	name := func(line string) string {
		n, _, _ := strings.Cut(line, "=")
		return n
	}
	slices.SortStableFunc(lines[1:], func(a, b string) int { return strings.Compare(name(a), name(b)) })
	return strings.Join(lines, "\n") + "\n\n" + rest
}

var numbers = regexp.MustCompile(`[0-9a-f]{16,}|[0-9]+`)

// withoutNumbers is a text with what clocks and random sources are the reason of.
func withoutNumbers(body string) string { return numbers.ReplaceAllString(body, "N") }

func asItIs(body string) string { return body }

// long is a text of n bytes.
func long(n int) string {
	const some = "the quick brown fox jumps over the lazy dog, 0123456789 times: "
	return strings.Repeat(some, n/len(some)+1)[:n]
}
