package main

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"
)

func TestTheCommandLineHasNothingButHelp(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		help bool
		says string
	}{
		{"help", []string{"-h"}, true, "usage: go run ./integration/demo"},
		{"a flag", []string{"-quick"}, false, "usage: go run ./integration/demo"},
		{"an argument", []string{"quick"}, false, `unknown argument "quick"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said bytes.Buffer
			if err := parse(c.args, &said); err == nil || errors.Is(err, flag.ErrHelp) != c.help {
				t.Errorf("error %v", err)
			}
			if !strings.Contains(said.String(), c.says) {
				t.Errorf("it says %q", &said)
			}
		})
	}
	if err := parse(nil, t.Output()); err != nil {
		t.Error(err)
	}
}
