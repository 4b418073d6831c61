package lab

import (
	"os"

	"github.com/mayfly-run/mayfly/internal/progress"
)

// Progress tells a person, line by line, what is being built and how long it
// took.
type Progress = progress.Progress

// NewProgress writes to f, usually the standard error.
func NewProgress(f *os.File) *Progress { return progress.New(f) }
