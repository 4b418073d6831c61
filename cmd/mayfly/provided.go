package main

import (
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// What a component exports that can be started.
const (
	incomingHandler = "wasi:http/incoming-handler"
	cliRun          = "wasi:cli/run"
)

// lacks is a sentence for each import that mayfly does not provide.
func lacks(d *component.Definition) []string {
	h, err := wasihttp.NewHost()
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
		sentences = append(sentences, strings.TrimPrefix(err.Error(), component.ErrImport.Error()+": "))
	}
	return sentences
}
