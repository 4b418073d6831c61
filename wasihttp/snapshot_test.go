package wasihttp

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

func snapshot(o *Options) { o.Sidecar.Snapshot = true }

func TestAnswersComeFromASnapshotAsTheyDoWithoutOne(t *testing.T) {
	for _, name := range []string{behaviours, "time-c", "time-rust", "time-go"} {
		t.Run(name, func(t *testing.T) {
			wasm, ok := guests.Built(name)
			if !ok {
				t.Skip("not built: make guests")
			}
			s := serve(t, "hello", func(o *Options) { o.Wasm = wasm }, snapshot)
			plain := serve(t, "hello", func(o *Options) { o.Wasm = wasm })
			for range 20 {
				got, body := s.get(t, "/hello")
				want, wantBody := plain.get(t, "/hello")
				if got.StatusCode != want.StatusCode || shape(body) != shape(wantBody) {
					t.Fatalf("%d %q, want %d %q", got.StatusCode, body, want.StatusCode, wantBody)
				}
			}
		})
	}
}

// shape is a text without its digits, be they hexadecimal: the time differs, and what was drawn.
func shape(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'f' {
			return '0'
		}
		return r
	}, text)
}

func TestAModuleHasNoSnapshot(t *testing.T) {
	o := Options{Wasm: guests.Wasm("hello"), Args: []string{"hello"}}
	o.Sidecar.Memory = 64 << 20
	snapshot(&o)
	if _, err := Load(t.Context(), o); !errors.Is(err, instance.ErrSnapshot) || !strings.Contains(err.Error(), "leave MAYFLY_SNAPSHOT or --snapshot out") {
		t.Errorf("%v", err)
	}
}

// mounts gives a guest directories of the host.
func mounts(t *testing.T, all ...guestfs.Mount) option {
	t.Helper()
	files, err := guestfs.OpenDirs(all)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	return func(o *Options) { o.Files = files }
}

// eitherWay loads from the file, and from compiled code.
func eitherWay(t *testing.T, test func(t *testing.T)) {
	for name, variable := range map[string]string{"from the file": "", "from its code": "1"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(compiledVariable, variable)
			test(t)
		})
	}
}

func TestInstancesOfASnapshotHaveTheirDirectories(t *testing.T) {
	for _, name := range []string{behaviours, "time-go"} {
		wasm, ok := guests.Built(name)
		if !ok {
			t.Logf("%s is not built: make guests", name)
			continue
		}
		eitherWay(t, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "a"), []byte("hello"), 0o600); err != nil {
				t.Fatal(err)
			}
			s := serve(t, "hello", func(o *Options) { o.Wasm = wasm }, snapshot, mounts(t, guestfs.Mount{Host: dir, Guest: "/"}, guestfs.Mount{Host: dir, Guest: "/data", ReadOnly: true}))
			var many sync.WaitGroup
			for range 8 {
				many.Go(func() {
					res, body, err := s.do(t, "GET", "/read?path=/data/a", nil)
					if err != nil || res.StatusCode != 200 || name == behaviours && body != "hello" {
						t.Errorf("%s: %v %q, %v", name, res, body, err)
					}
				})
			}
			many.Wait()
		})
	}
}

func TestAnInstanceOfASnapshotGoesOnWithWhatItHad(t *testing.T) {
	wasm, err := os.ReadFile("testdata/early.wasm")
	if err != nil {
		t.Fatal(err)
	}
	eitherWay(t, func(t *testing.T) {
		dir := mounts(t, guestfs.Mount{Host: t.TempDir(), Guest: "/"})
		for _, test := range []struct {
			name, logged, want string
			options            []option
		}{
			{"without one", "", "begins\nran\n", []option{dir}},
			{"with one", "begins\n", "ran\n", []option{dir, snapshot}},
		} {
			app, _, log := load(t, "hello", append(test.options, func(o *Options) { o.Wasm = wasm })...)
			if got := log.String(); got != test.logged {
				t.Errorf("%s: %q is logged", test.name, got)
			}
			for range 3 {
				var stderr bytes.Buffer
				if err := app.Command(t.Context(), strings.NewReader(""), io.Discard, &stderr); err != nil || stderr.String() != test.want {
					t.Errorf("%s: %q, %v", test.name, &stderr, err)
				}
			}
		}
	})
}
