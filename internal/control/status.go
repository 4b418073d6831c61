package control

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// What a sidecar does, as its holder sees it.
const (
	Asleep   = "asleep"   // there is no engine: the next request starts one
	Loading  = "loading"  // an engine is about to serve
	Serving  = "serving"  // an engine serves
	Running  = "running"  // a command runs
	Failing  = "failing"  // there is no engine, and the last ones failed
	Draining = "draining" // the container is to end
)

// Status is how a sidecar is: the text of a [State].
type Status struct {
	Doing    string // one of the words above
	Ready    bool   // as probes are told
	Sentence string // the same for a person
	Holder   int    // its process
	Engine   int    // the engine's, 0 while there is none
	Engines  uint64 // how many there have been
	Wakes    uint64 // how many of them a request started
	Failures uint64 // engines that failed, in a row
	Probes   uint64 // kubelet's, that the holder answered
	Figures  []byte // of the last engine that served, see [ParseFigures]
}

// maxSentence bounds the sentence on the wire, in bytes: what an engine said when it refused may be as long as a message, and all of this is to
// fit into one.
const maxSentence = 2 << 10

// AppendStatus appends s as lines of KEY=VALUE.
func AppendStatus(b []byte, s *Status) []byte {
	end := min(len(s.Sentence), maxSentence)
	for end > 0 && end < len(s.Sentence) && !utf8.RuneStart(s.Sentence[end]) {
		end--
	}
	b = append(b, "doing="...)
	b = append(b, s.Doing...)
	b = append(b, "\nready="...)
	b = strconv.AppendBool(b, s.Ready)
	b = append(b, "\nsentence="...)
	for i := range end {
		c := s.Sentence[i]
		if c < ' ' {
			c = ' '
		}
		b = append(b, c)
	}
	b = appendNumber(b, "\nholder=", uint64(s.Holder))
	b = appendNumber(b, "\nengine=", uint64(s.Engine))
	b = appendNumber(b, "\nengines=", s.Engines)
	b = appendNumber(b, "\nwakes=", s.Wakes)
	b = appendNumber(b, "\nfailures=", s.Failures)
	b = appendNumber(b, "\nprobes=", s.Probes)
	b = append(b, "\nfigures="...)
	b = append(b, s.Figures...)
	return append(b, '\n')
}

// ParseStatus reads what AppendStatus wrote; what this release does not know is left out. It returns [ErrMalformed].
func ParseStatus(text string) (Status, error) {
	var s Status
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			return Status{}, ErrMalformed
		}
		number, err := strconv.ParseUint(value, 10, 63)
		switch key {
		case "doing":
			s.Doing, err = value, nil
		case "ready":
			s.Ready, err = strconv.ParseBool(value)
		case "sentence":
			s.Sentence, err = value, nil
		case "holder":
			s.Holder = int(number)
		case "engine":
			s.Engine = int(number)
		case "engines":
			s.Engines = number
		case "wakes":
			s.Wakes = number
		case "failures":
			s.Failures = number
		case "probes":
			s.Probes = number
		case "figures":
			s.Figures, err = []byte(value), nil
		default:
			err = nil
		}
		if err != nil {
			return Status{}, ErrMalformed
		}
	}
	if s.Doing == "" {
		return Status{}, ErrMalformed
	}
	return s, nil
}

func appendNumber(b []byte, key string, n uint64) []byte {
	return strconv.AppendUint(append(b, key...), n, 10)
}
