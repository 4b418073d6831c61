package main

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOnlyWhatTookLongIsWorthAWarning(t *testing.T) {
	cache := userCache(t)
	for _, tc := range []struct {
		name  string
		took  time.Duration
		lines int
	}{
		{"a moment", 100 * time.Millisecond, 0},
		{"seconds", 5 * time.Second, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var said bytes.Buffer
			tellUncached(t.Context(), slog.New(slog.NewTextHandler(&said, nil)), tc.took, errors.New("it is full"))
			if n := strings.Count(said.String(), "\n"); n != tc.lines {
				t.Fatalf("%d lines: %s", n, &said)
			}
			if tc.lines == 0 {
				return
			}
			for _, want := range []string{"level=WARN", filepath.Join(cache, "mayfly/compiled"), "it is full"} {
				if !strings.Contains(said.String(), want) {
					t.Errorf("no %q: %s", want, &said)
				}
			}
		})
	}
}
