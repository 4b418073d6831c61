package config

import (
	"errors"
	"fmt"
)

// ErrVariable marks an environment variable that could not be understood.
var ErrVariable = errors.New("invalid environment variable")

// shown bounds how much of a hostile value an error repeats, in bytes.
const shown = 80

type variableError struct {
	name, value, example string
	err                  error
}

func (e *variableError) Error() string {
	value := e.value
	if len(value) > shown {
		value = value[:shown] + "…"
	}
	return fmt.Sprintf("%s=%q: %v; set it to, for example, %s", e.name, value, e.err, e.example)
}

func (e *variableError) Unwrap() []error { return []error{ErrVariable, e.err} }
