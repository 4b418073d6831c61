//go:build linux

package keep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
)

// This program is started again to keep something in the place that this
// variable names.
const placeVar = "MAYFLY_KEEP_TEST"

func TestMain(m *testing.M) {
	if place := os.Getenv(placeVar); place != "" {
		os.Exit(keep(Place(place)))
	}
	leak.Main(m)
}

// keep keeps a file, or fails to when it is there.
func keep(p Place) int {
	err := p.Run(context.Background(), func(context.Context) (any, func() error, error) {
		fmt.Fprintln(os.Stderr, "it is made")
		f, err := os.OpenFile(p.File("thing"), os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, nil, err
		}
		f.Close()
		return "a thing", func() error {
			fmt.Fprintln(os.Stderr, "it is unmade")
			return os.Remove(p.File("thing"))
		}, nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestWhatIsKeptIsThereUntilItIsStopped(t *testing.T) {
	p := Place(t.TempDir())
	t.Setenv(placeVar, string(p))
	for range 2 { // what ended leaves room for the next
		var said bytes.Buffer
		if err := p.Start(t.Context(), &said); err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		if said.String() != "it is made\n" {
			t.Errorf("it says %q", said.String())
		}
		var what string
		if err := p.Find(&what); err != nil || what != "a thing" {
			t.Errorf("found %q, %v", what, err)
		}
		if err := p.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(p.File("thing")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after its end: %v", err)
		}
		if log, err := os.ReadFile(p.File("log")); err != nil || string(log) != "it is unmade\n" {
			t.Errorf("the log has %q, %v", log, err)
		}
		if err := p.Find(nil); !errors.Is(err, ErrNothing) {
			t.Errorf("found after its end: %v", err)
		}
	}
}

func TestAThingThatCannotBeMadeIsAnErrorThatIsHeard(t *testing.T) {
	p := Place(t.TempDir())
	t.Setenv(placeVar, string(p))
	if err := os.WriteFile(p.File("thing"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	if err := p.Start(t.Context(), &said); err == nil {
		t.Error("it starts")
	}
	if !strings.Contains(said.String(), "file exists") {
		t.Errorf("it says %q", said.String())
	}
}

func TestASecondThingIsRefused(t *testing.T) {
	p := Place(t.TempDir())
	t.Setenv(placeVar, string(p))
	var said bytes.Buffer
	if err := p.Start(t.Context(), &said); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	said.Reset()
	if err := p.Start(t.Context(), &said); err == nil || !strings.Contains(said.String(), "in use") {
		t.Errorf("err %v, it says %q", err, said.String())
	}
}

func TestNothingIsUpWhereNothingEverWas(t *testing.T) {
	p := Place(t.TempDir())
	if err := p.Find(nil); !errors.Is(err, ErrNothing) {
		t.Errorf("find: %v", err)
	}
	if err := p.Stop(t.Context()); !errors.Is(err, ErrNothing) {
		t.Errorf("stop: %v", err)
	}
}
