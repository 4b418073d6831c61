//go:build linux

package peers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestAContainerHasNoPrivilegeAndThePort(t *testing.T) {
	n := &Native{runc: "/runc", root: "/root-of-it"}
	dir := filepath.Join(t.TempDir(), "one")
	if err := n.bundle(8123, dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s specs.Spec
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.Process.Env, "PORT=8123") || s.Process.User.UID == 0 || !s.Process.NoNewPrivileges || s.Process.Capabilities != nil || !s.Root.Readonly {
		t.Errorf("%s", text)
	}
}

func TestTheCommandsOfAContainer(t *testing.T) {
	c := &Container{native: &Native{runc: "/runc"}, dir: "/tmp/one"}
	for want, got := range map[string][]string{
		"run":    c.command("run", "--detach"),
		"delete": c.command("delete", "--force"),
	} {
		whole := map[string][]string{
			"run":    {"/runc", "--root", "/tmp/one/state", "run", "--detach", "--bundle", "/tmp/one", "one"},
			"delete": {"/runc", "--root", "/tmp/one/state", "delete", "--force", "one"},
		}[want]
		if !slices.Equal(got, whole) {
			t.Errorf("%s: got %q, want %q", want, got, whole)
		}
	}
}
