package guestfs

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

func containerFiles(dir string) (*Files, error) { return openContainer(dir, []string{"hidden"}) }

// TestTheKernelsFilesAreHidden looks through the eyes of guests at the root of the machine the test runs on.
func TestTheKernelsFilesAreHidden(t *testing.T) {
	files, err := OpenContainer()
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	r, err := instance.NewRuntime(t.Context(), instance.Limits{Memory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background())
	ask := func(guest, path string) string {
		t.Helper()
		m, err := r.Load(t.Context(), guests.Wasm(guest))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		i, err := m.Instantiate(t.Context(), instance.Call{Env: []string{"QUERY_STRING=path=" + path}, Stdout: &out, FS: files.Config()})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		if err := i.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}

	d := t.TempDir()
	write(t, filepath.Join(d, "file"), "content")
	up := strings.Repeat("../", 20)
	link(t, "/proc/self/environ", filepath.Join(d, "absolute"))
	link(t, up+"proc/self/environ", filepath.Join(d, "relative"))
	link(t, "/tmp/.././proc", filepath.Join(d, "directory"))
	link(t, "/", filepath.Join(d, "root"))
	link(t, d+"/file", filepath.Join(d, "good"))

	for _, path := range []string{d + "/file", d + "/good", d + "/root/" + d + "/file"} {
		if answer := ask("read-file", path); !strings.HasSuffix(answer, "content") {
			t.Errorf("%s: %q", path, answer)
		}
	}
	for _, path := range []string{"/proc/self/environ", "/proc/version", "/sys/kernel/mm", "/dev/null", d + "/absolute", d + "/relative",
		d + "/directory/version", d + "/root/proc/version", d + "/root/root/dev/null"} {
		if answer := ask("read-file", path); !strings.Contains(answer, "Status: 404") {
			t.Errorf("%s: %.200q", path, answer)
		}
	}
	listing := ask("list-dir", "/")
	for _, name := range hidden {
		if strings.Contains(listing, "\n"+name+"/") {
			t.Errorf("%s is listed in %q", name, listing)
		}
	}
	entries, err := os.ReadDir("/")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(hidden, e.Name()) && !strings.Contains(listing, "\n"+e.Name()) {
			t.Errorf("%s is not listed in %q", e.Name(), listing)
		}
	}
}
