package control

import (
	"strconv"
	"strings"
)

// MaxFigures bounds the text of [Figures], in bytes.
const MaxFigures = 512

// Figures are what an engine counts, from its start.
type Figures struct {
	Requests  uint64 `json:"requests"`  // that are over
	InFlight  uint64 `json:"inFlight"`  // with those that wait
	Queued    uint64 `json:"queued"`    // waiting for an instance
	Refused   uint64 `json:"refused"`   // with 503, for want of instances or memory
	Failed    uint64 `json:"failed"`    // answered by mayfly in the guest's place, or cut short, for another reason
	Probes    uint64 `json:"probes"`    // answered without an instance
	Instances uint64 `json:"instances"` // alive
	Limit     uint64 `json:"limit"`     // of instances alive at once
}

// each calls do with each figure, in the order they are written.
func (f *Figures) each(do func(key string, n *uint64)) {
	do("requests", &f.Requests)
	do("in-flight", &f.InFlight)
	do("queued", &f.Queued)
	do("refused", &f.Refused)
	do("failed", &f.Failed)
	do("probes", &f.Probes)
	do("instances", &f.Instances)
	do("limit", &f.Limit)
}

// String is the text of a [Beat].
func (f *Figures) String() string {
	var b []byte
	f.each(func(key string, n *uint64) {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(b, key...)
		b = appendNumber(b, "=", *n)
	})
	return string(b)
}

// ParseFigures reads what String wrote. What is no figure of this release is left out, and what is not there is zero.
func ParseFigures(text string) Figures {
	var f Figures
	for word := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(word, "=")
		f.each(func(known string, n *uint64) {
			if known == key {
				*n, _ = strconv.ParseUint(value, 10, 64)
			}
		})
	}
	return f
}
