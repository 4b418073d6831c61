//go:build linux

package bundle

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestToolsAreRunByWhatIsThere(t *testing.T) {
	for _, tc := range []struct {
		name       string
		args, want []string
	}{
		{"a probe", []string{"mayfly", "probe"}, []string{"/.mayfly/init", "probe"}},
		{"a probe with more", []string{"mayfly", "probe", "-h"}, []string{"/.mayfly/engine", "tool", "probe", "-h"}},
		{"another tool", []string{"mayfly", "invoke", "/"}, []string{"/.mayfly/engine", "tool", "invoke", "/"}},
		{"none of them", []string{"mayfly"}, []string{"/.mayfly/engine", "tool"}},
		{"a shell", []string{"sh", "-c", "mayfly probe"}, []string{"sh", "-c", "mayfly probe"}},
		{"the image's own", []string{"/usr/bin/mayfly", "probe"}, []string{"/usr/bin/mayfly", "probe"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			process, err := json.Marshal(map[string]any{"args": tc.args, "cwd": "/", "fromTheFuture": true})
			if err != nil {
				t.Fatal(err)
			}
			out, err := Tool(process)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Args          []string
				Cwd           string
				FromTheFuture bool
			}
			if err := json.Unmarshal(out, &got); err != nil || !slices.Equal(got.Args, tc.want) || got.Cwd != "/" || !got.FromTheFuture {
				t.Errorf("got %s, %v", out, err)
			}
		})
	}
}

func TestAProcessThatCannotBeReadIsRefused(t *testing.T) {
	for _, process := range []string{"", "{", `{"args": 1}`, `[]`} {
		if out, err := Tool([]byte(process)); err == nil {
			t.Errorf("%q became %q", process, out)
		}
	}
}

func FuzzTool(f *testing.F) {
	f.Add([]byte(`{"args":["mayfly","probe"]}`))
	f.Fuzz(func(t *testing.T, process []byte) {
		out, err := Tool(process)
		if err == nil && !json.Valid(out) {
			t.Errorf("%q became %q", process, out)
		}
	})
}
