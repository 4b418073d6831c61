package wasihttp

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/mayfly-run/mayfly/internal/compiled"
	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/guests"
)

// compiledVariable makes all tests of this package load what they test from compiled code.
const compiledVariable = "MAYFLY_TEST_COMPILED"

// loadEither is Load, or Compile and LoadCompiled.
func loadEither(t testing.TB, o Options) (*App, error) {
	t.Helper()
	if os.Getenv(compiledVariable) == "" {
		return Load(t.Context(), o)
	}
	return loadByCode(t, o)
}

func loadByCode(t testing.TB, o Options) (*App, error) {
	t.Helper()
	dir := t.TempDir()
	if err := Compile(t.Context(), o.Wasm, dir); err != nil {
		return nil, err
	}
	o.Wasm = nil
	return LoadCompiled(t.Context(), dir, o)
}

// byCode makes a guest what is loaded, from compiled code.
func byCode(t testing.TB, wasm []byte) option {
	t.Setenv(compiledVariable, "1")
	return func(o *Options) { o.Wasm = wasm }
}

func TestComponentsAnswerFromTheirCodeAsFromTheFile(t *testing.T) {
	names := []string{"time-c", "time-rust", behaviours}
	if os.Getenv(compiledVariable) != "" { // they take a while
		names = append(names, "time-go", "time-javascript")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			wasm, ok := guests.Built(name)
			if !ok {
				t.Skip("not built: make guests")
			}
			answers := func(s *served) string {
				text := ""
				for _, path := range []string{"/hello", "/", "/trap", "/nothing"} {
					res, body, err := s.do(t, "GET", path, nil)
					if err != nil {
						t.Fatal(err)
					}
					text += fmt.Sprintf("%s: %d, %d bytes\n", path, res.StatusCode, len(body))
				}
				return text
			}
			code := answers(serve(t, "hello", byCode(t, wasm)))
			t.Setenv(compiledVariable, "")
			file := answers(serve(t, "hello", func(o *Options) { o.Wasm = wasm }))
			if code != file {
				t.Errorf("from its code it answers\n%s\nand from the file\n%s", code, file)
			}
		})
	}
}

func TestTheSettingsAreNotPartOfTheCode(t *testing.T) {
	dir := t.TempDir()
	if err := Compile(t.Context(), guests.Component(t, behaviours), dir); err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse([]string{"MAYFLY_TRIGGER=command"})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Sidecar: c}
	if _, err := LoadCompiled(t.Context(), dir, o); !errors.Is(err, ErrTrigger) {
		t.Errorf("a component that answers requests is run as a command: %v", err)
	}
	for _, memory := range []uint64{4 << 20, 256 << 20} {
		o.Sidecar, err = config.Parse(nil)
		if err != nil {
			t.Fatal(err)
		}
		o.Sidecar.Memory = memory
		app, err := LoadCompiled(t.Context(), dir, o)
		if err != nil {
			t.Fatalf("with %d bytes: %v", memory, err)
		}
		if err := app.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestADirectoryWithoutCodeIsAnErrorOfTheDirectory(t *testing.T) {
	if _, err := LoadCompiled(t.Context(), t.TempDir(), Options{}); !errors.Is(err, compiled.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
