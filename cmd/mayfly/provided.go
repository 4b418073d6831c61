package main

import (
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/wasi"
)

// What a component exports that can be started.
const (
	incomingHandler = "wasi:http/incoming-handler"
	cliRun          = "wasi:cli/run"
)

// lacks is a sentence for each import that mayfly does not provide. Of wasi:http it says
// nothing: that is there for what answers requests or runs, and loading tells whether
// it fits.
func lacks(d *component.Definition) []string {
	h, err := component.NewHost(wasi.Packages()...)
	if err != nil {
		return []string{err.Error()}
	}
	all, ok := h.Check(d).(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var sentences []string
	for _, err := range all.Unwrap() {
		if len(sentences) == maxListed {
			return append(sentences, "and more")
		}
		s := strings.TrimPrefix(err.Error(), component.ErrImport.Error()+": ")
		if !strings.HasPrefix(s, "wasi:http/types@0.2.") && !strings.HasPrefix(s, "wasi:http/outgoing-handler@0.2.") {
			sentences = append(sentences, s)
		}
	}
	return sentences
}
