package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestTheEndOfWhatACommandSaysIsKept(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", maxLastSaid/16)
	for _, tc := range []struct {
		name string
		said []string
		want string
	}{
		{"nothing", nil, ""},
		{"a line", []string{"a panic\n"}, "a panic\n"},
		{"part of one", []string{"a ", "panic"}, "a panic\n"},
		{"more than is kept, at once", []string{"first " + long}, long + "\n"},
		{"more than is kept, in pieces", []string{"first", long[:100], long[100:], "last\n"}, long[5:] + "last\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			l := &lastSaid{w: &out}
			for _, s := range tc.said {
				if n, err := l.Write([]byte(s)); n != len(s) || err != nil {
					t.Fatalf("wrote %d, %v", n, err)
				}
			}
			if got := l.String(); got != tc.want || out.String() != strings.Join(tc.said, "") {
				t.Errorf("got %q", got)
			}
		})
	}
}
