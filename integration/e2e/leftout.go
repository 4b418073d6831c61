//go:build linux

package main

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed left-out.txt
var leftOutText string

// leftOut are the reasons why tests are not run, by their names.
type leftOut map[string]string

// readLeftOut reads paragraphs: a reason, and below it, indented, names. Lines
// that begin with # are for people.
func readLeftOut(text string) (leftOut, error) {
	l := leftOut{}
	reason, number := "", 0
	for line := range strings.Lines(text) {
		number++
		name := strings.TrimSpace(line)
		switch indented := strings.HasPrefix(line, " "); {
		case name == "" || strings.HasPrefix(name, "#"):
		case !indented:
			reason = name
		case reason == "":
			return nil, fmt.Errorf("left-out.txt:%d: a test without a reason above it", number)
		case l[name] != "":
			return nil, fmt.Errorf("left-out.txt:%d: a test that is named before", number)
		default:
			l[name] = reason
		}
	}
	return l, nil
}

// split parts tests in those that are to run and those that are left out. A
// name in the list that is no test's is an error: the list is of this release.
func (l leftOut) split(tests []string) (run, out []string, err error) {
	missing := map[string]bool{}
	for name := range l {
		missing[name] = true
	}
	for _, t := range tests {
		delete(missing, t)
		if l[t] != "" {
			out = append(out, t)
		} else {
			run = append(run, t)
		}
	}
	for name := range missing {
		return nil, nil, fmt.Errorf("left-out.txt names %q, which is no test of this release", name)
	}
	return run, out, nil
}
