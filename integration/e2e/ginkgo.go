//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/integration/outcome"
)

// suiteReport is what there is here of a report ginkgo writes.
type suiteReport struct {
	SpecReports []specReport
}

type specReport struct {
	ContainerHierarchyTexts []string
	LeafNodeType            string
	LeafNodeText            string
	State                   string
	RunTime                 time.Duration
	Failure                 struct {
		Message  string
		Location struct {
			FileName   string
			LineNumber int
		}
	}
	SpecEvents []struct{ Message string }
}

// name is the test's, as ginkgo's own filters have it.
func (s specReport) name() string {
	return strings.Join(append(s.ContainerHierarchyTexts, s.LeafNodeText), " ")
}

// readReport reads the tests of a report, without those that a filter left out
// and without what is no test.
func readReport(path string) ([]specReport, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var suites []suiteReport
	if err := json.Unmarshal(text, &suites); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var specs []specReport
	for _, suite := range suites {
		for _, s := range suite.SpecReports {
			// A test that skips itself says why.
			filtered := s.State == "skipped" && s.Failure.Message == ""
			if s.LeafNodeType == "It" && !filtered {
				specs = append(specs, s)
			}
		}
	}
	return specs, nil
}

// result is what came of a test.
func (s specReport) result() outcome.Result {
	as, known := map[string]string{
		"passed": outcome.Pass, "skipped": outcome.Skip, "pending": outcome.Skip,
		"failed": outcome.Fail, "panicked": outcome.Fail, "aborted": outcome.Fail,
	}[s.State]
	if !known {
		as = outcome.Stuck // interrupted, or out of time
	}
	r := outcome.Result{Outcome: as}
	if as != outcome.Pass {
		r.Reason = s.reason()
	}
	return r
}

// reason is what a test failed with, on one line that is not too long.
func (s specReport) reason() string {
	text := []rune(strings.Join(strings.Fields(s.Failure.Message), " "))
	const enough = 500
	at := s.Failure.Location.FileName
	if _, below, ok := strings.Cut(at, "/test/e2e/"); ok {
		at = below
	}
	return fmt.Sprintf("%s:%d: %s", at, s.Failure.Location.LineNumber, string(text[:min(len(text), enough)]))
}
