package config

import (
	"errors"
	"fmt"
)

// ErrVariable marks an environment variable that could not be understood.
var ErrVariable = errors.New("invalid environment variable")

// shown bounds how much of a hostile value an error repeats, in bytes.
const shown = 80

// settingError says which setting could not be understood, and what would be right.
type settingError struct {
	kind                 error // ErrVariable or ErrAnnotation
	name, value, example string
	err                  error
}

func (e *settingError) Error() string {
	value := e.value
	if len(value) > shown {
		value = value[:shown] + "…"
	}
	return fmt.Sprintf("%s=%q: %v; set it to, for example, %s", e.name, value, e.err, e.example)
}

func (e *settingError) Unwrap() []error { return []error{e.kind, e.err} }
