//go:build linux

package lab

import (
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/internal/ociimage"
)

// GuestsImage holds every test guest that is not large; a container chooses one
// by its command, /NAME.wasm.
const GuestsImage = "localhost/mayfly/guests:1"

// WriteGuests writes the image GuestsImage to an archive.
func WriteGuests(archive string) error {
	s := ociimage.Spec{
		Config: v1.Config{
			User: ociimage.DefaultUser, WorkingDir: "/",
			// A container that names no guest gets a good one.
			Entrypoint: []string{"/hello.wasm"},
		},
		Platforms: []v1.Platform{ociimage.HostPlatform()},
	}
	files := map[string][]byte{"/data/here": []byte("in the image\n"), "/text.wasm": []byte("these are words\n")}
	for _, g := range guests.Names() {
		files["/"+g+".wasm"] = guests.Wasm(g)
	}
	for _, g := range []string{"http", "command", "composed", "front", "words", "time-c", "time-rust"} {
		wasm, err := committed(g)
		if err != nil {
			return err
		}
		files["/"+g+".wasm"] = wasm
	}
	for name, text := range madeComponents(string(files["/http.wasm"])) {
		files["/"+name+".wasm"] = []byte(text)
	}
	for name, content := range files {
		if err := s.Root.AddBytes(name, content, 0o644); err != nil {
			return err
		}
	}
	image, err := ociimage.Build(s)
	if err != nil {
		return err
	}
	return WriteImage(archive, GuestsImage, image)
}

// PackTime makes images of the components in C and in Rust that tell the time,
// Example.Image says their names, and returns their archives in dir. They
// listen on port 8080.
func PackTime(dir string) ([]string, error) {
	var archives []string
	for _, name := range []string{"c", "rust"} {
		wasm, err := committed("time-" + name)
		if err != nil {
			return nil, err
		}
		e := Example{Name: name, Module: filepath.Join(dir, "time-"+name+".wasm")}
		if err := os.WriteFile(e.Module, wasm, 0o644); err != nil {
			return nil, err
		}
		archive, err := e.Pack(dir, 8080)
		if err != nil {
			return nil, err
		}
		archives = append(archives, archive)
	}
	return archives, nil
}

// committed is a component that needs no building.
func committed(guest string) ([]byte, error) {
	wasm, ok := guests.Built(guest)
	if !ok {
		return nil, fmt.Errorf("the component %s is not committed", guest)
	}
	return wasm, nil
}
