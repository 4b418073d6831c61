package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ignored are the fields that say nothing of what the guest answered.
var ignored = map[string]bool{
	// How the message is framed, and what becomes of the connection.
	"connection": true, "keep-alive": true, "transfer-encoding": true, "content-length": true, "trailer": true,
	// The server's own.
	"date": true, "server": true, "x-request-id": true,
}

// difference is one thing in which two answers to one request are not the same.
type difference struct {
	aspect string // what
	ours   string
	theirs string
}

// compare returns what the answers of mayfly and of another server to r differ in. read brings what may differ in two bodies to one form.
func compare(r *request, ours, theirs []answer, read func(string) string) []difference {
	var all []difference
	for i := range max(len(ours), len(theirs)) {
		none := answer{lost: fmt.Errorf("no answer %d", i+1)}
		a, b := none, none
		if i < len(ours) {
			a = ours[i]
		}
		if i < len(theirs) {
			b = theirs[i]
		}
		for _, d := range compareOne(r, a, b, read) {
			if i > 0 {
				d.aspect = fmt.Sprintf("%s-%d", d.aspect, i+1)
			}
			all = append(all, d)
		}
	}
	return all
}

func compareOne(r *request, a, b answer, read func(string) string) []difference {
	switch {
	case a.lost != nil && b.lost != nil && (r.own || a.lost.Error() == b.lost.Error()):
		return nil
	case errors.Is(a.lost, errClosed) && b.cut, a.cut && errors.Is(b.lost, errClosed):
		return nil // whether the head was sent before it broke off is a matter of time
	case a.lost != nil || b.lost != nil:
		return []difference{{"answer", summary(a), summary(b)}}
	case a.status != b.status && r.own:
		return []difference{{"status", fmt.Sprint(a.status), fmt.Sprint(b.status)}}
	case a.status != b.status:
		return []difference{{"status", summary(a), summary(b)}}
	}
	var all []difference
	if !slices.Equal(a.interim, b.interim) {
		all = append(all, difference{"interim", fmt.Sprint(a.interim), fmt.Sprint(b.interim)})
	}
	if r.own {
		return all
	}
	all = append(all, compareFields("field", a.fields, b.fields, func(name string) bool {
		return ignored[name] && !(r.length && name == "content-length")
	})...)
	switch {
	case a.cut != b.cut:
		all = append(all, difference{"end", end(a), end(b)})
	case a.cut:
		// How much of it arrived before it broke off is a matter of time.
	default:
		if x, y := read(a.body), read(b.body); x != y {
			x, y = excerpts(x, y)
			all = append(all, difference{"body", x, y})
		}
		all = append(all, compareFields("trailer", a.trailers, b.trailers, func(string) bool { return false })...)
	}
	return all
}

func compareFields(kind string, a, b []field, ignore func(string) bool) []difference {
	var all []difference
	names := map[string]bool{}
	for _, f := range slices.Concat(a, b) {
		if names[f.name] || ignore(f.name) {
			continue
		}
		names[f.name] = true
		if x, y := values(a, f.name), values(b, f.name); x != y {
			all = append(all, difference{kind + ":" + f.name, x, y})
		}
	}
	return all
}

// values are those of a field as one text.
func values(fields []field, name string) string {
	var all []string
	for _, f := range fields {
		if f.name == name {
			all = append(all, quoted(f.value))
		}
	}
	if all == nil {
		return "none"
	}
	return strings.Join(all, ", ")
}

func summary(a answer) string {
	if a.lost != nil {
		return a.lost.Error()
	}
	return fmt.Sprintf("%d %s", a.status, quoted(excerpt(a.body, 0)))
}

func end(a answer) string {
	if a.cut {
		return fmt.Sprintf("broke off after %d bytes", len(a.body))
	}
	return fmt.Sprintf("whole, %d bytes", len(a.body))
}

// excerpts are what each of two texts has that the other has not: of many lines the lines, of one what comes where they part.
func excerpts(a, b string) (string, string) {
	if strings.Count(a, "\n") > 1 && strings.Count(b, "\n") > 1 {
		x, y := without(a, b), without(b, a)
		if x+y != "" {
			return quoted(excerpt(x, 0)), quoted(excerpt(y, 0))
		}
	}
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	from := 0
	if at > 40 {
		from = at - 20
	}
	return quoted(excerpt(a, from)), quoted(excerpt(b, from))
}

// without are the lines of a text that another has not.
func without(text, other string) string {
	count := map[string]int{}
	for line := range strings.Lines(other) {
		count[line]++
	}
	var left strings.Builder
	for line := range strings.Lines(text) {
		if count[line]--; count[line] < 0 {
			left.WriteString(line)
		}
	}
	return left.String()
}

// excerpt is a line or so of a text.
func excerpt(text string, from int) string {
	const most = 160
	text = text[min(from, len(text)):]
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

func quoted(text string) string {
	if !utf8.ValidString(text) || len(text) == 0 {
		return fmt.Sprintf("%q", text)
	}
	q := fmt.Sprintf("%q", text)
	if q[1:len(q)-1] == text && !strings.ContainsAny(text, " ,") {
		return text
	}
	return q
}
