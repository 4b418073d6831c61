//go:build linux

package bundle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestAVariableOfTheContainerWins(t *testing.T) {
	for _, tc := range []struct {
		name, env string
		want      []string
	}{
		{"none", `["A=b"]`, []string{"A=b", "MAYFLY_PROBE=guest"}},
		{"no environment", `null`, []string{"MAYFLY_PROBE=guest"}},
		{"an empty one", `["MAYFLY_PROBE="]`, []string{"MAYFLY_PROBE=", "MAYFLY_PROBE=guest"}},
		{"one", `["MAYFLY_PROBE=mayfly"]`, []string{"MAYFLY_PROBE=mayfly"}},
		{"one of a longer name", `["MAYFLY_PROBES=x"]`, []string{"MAYFLY_PROBES=x", "MAYFLY_PROBE=guest"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := makeBundle(t, `{"process":{"args":["/app.wasm"],"env":`+tc.env+`},"root":{"path":"rootfs"}}`, nil)
			s, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.DefaultEnv("MAYFLY_PROBE", "guest"); err != nil {
				t.Fatal(err)
			}
			if err := s.RunHolder(&Entrypoint{Path: "/app.wasm"}, Sources{}); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(dir, configFile))
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Process struct{ Env []string } }
			if err := json.Unmarshal(b, &got); err != nil || !slices.Equal(got.Process.Env, tc.want) || !slices.Equal(s.Env(), tc.want) {
				t.Errorf("got %q, %v", got.Process.Env, err)
			}
		})
	}
}
