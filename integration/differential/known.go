package main

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
)

//go:embed known.txt
var knownText string

// which names a difference: the server that is not as mayfly, the request as COMPONENT/GROUP/NAME, and what differs.
type which struct{ server, request, aspect string }

func (w which) String() string { return w.server + " " + w.request + " " + w.aspect }

// known are the differences that have a reason.
type known struct {
	reasons map[which]string
	used    map[which]bool
}

var errKnown = errors.New("read the known differences")

// parseKnown reads paragraphs, each a reason and then the differences it is for, indented, a line each: SERVER REQUEST ASPECT. Lines that
// begin with # are comments.
func parseKnown(text string) (*known, error) {
	k := &known{map[which]string{}, map[which]bool{}}
	var reason []string
	listed := false
	n := 0
	for line := range strings.Lines(text) {
		n++
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || line[0] == '#':
		case line[0] != ' ' && line[0] != '\t':
			if listed {
				reason, listed = nil, false
			}
			reason = append(reason, words...)
		case len(words) != 3:
			return nil, fmt.Errorf("%w: line %d: %q is not SERVER REQUEST ASPECT", errKnown, n, strings.TrimSpace(line))
		case len(reason) == 0:
			return nil, fmt.Errorf("%w: line %d: no reason stands above it", errKnown, n)
		default:
			w := which{words[0], words[1], words[2]}
			if k.reasons[w] != "" {
				return nil, fmt.Errorf("%w: line %d: %v is listed twice", errKnown, n, w)
			}
			k.reasons[w], listed = strings.Join(reason, " "), true
		}
	}
	return k, nil
}

// reason returns why a difference is there, "" if it is not known, and notes that it is.
func (k *known) reason(w which) string {
	reason := k.reasons[w]
	if reason != "" {
		k.used[w] = true
	}
	return reason
}

// stale returns the known differences that were looked for and are none any more, sorted.
func (k *known) stale(asked func(server, request string) bool) []which {
	var all []which
	for w := range k.reasons {
		if !k.used[w] && asked(w.server, w.request) {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b which) int { return strings.Compare(a.String(), b.String()) })
	return all
}
