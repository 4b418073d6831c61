//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mayfly-run/mayfly/integration/outcome"
)

// record is what is known of a test with one runtime.
type record struct {
	outcome.Result
	Started bool    // a container was started for it
	Seconds float64 // how long it took
}

// records are those of one runtime, by the tests' names, kept in a file.
type records struct {
	path  string
	tests map[string]record
}

// openRecords reads the file; one that is not there is an empty one.
func openRecords(path string) (*records, error) {
	r := &records{path: path, tests: map[string]record{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r.tests)
	}
	if err != nil {
		return nil, fmt.Errorf("read earlier results: %w; without -resume they are not needed", err)
	}
	return r, nil
}

// missing are the tests of which nothing came that need not be tried again.
func (r *records) missing(tests []string) []string {
	var list []string
	for _, t := range tests {
		if o := r.tests[t].Outcome; o != outcome.Pass && o != outcome.Skip {
			list = append(list, t)
		}
	}
	return list
}

// add takes over what a report says, and writes the file.
func (r *records) add(specs []specReport, namespaces map[string]bool) error {
	for _, s := range specs {
		r.tests[s.name()] = record{s.result(), startedOne(s, namespaces), s.RunTime.Seconds()}
	}
	text, err := json.MarshalIndent(r.tests, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(r.path, append(text, '\n'), 0o644)
}

// results are those of tests, as they are compared.
func (r *records) results(tests []string) outcome.Results {
	all := outcome.Results{}
	for _, t := range tests {
		if rec, ok := r.tests[t]; ok {
			all[t] = rec.Result
		}
	}
	return all
}
