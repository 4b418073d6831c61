package clusterbench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The roles of images.
const (
	RoleAgent  = "agent"  // the main container of every pod: it asks
	RoleGuest  = "guest"  // a sidecar
	RoleServer = "server" // an ordinary program that does the same, in a container of runc
	RoleNginx  = "nginx"  // another, that everybody knows
)

// Image is one that pods of the benchmark have.
type Image struct {
	Role   string `json:"role"`
	Name   string `json:"name"`  // in figures: c, rust, go, js, server, nginx
	Title  string `json:"title"` // for a person
	Ref    string `json:"image"` // in pods
	Digest string `json:"digest"`
	File   string `json:"file,omitempty"` // the archive, beside the list; none where it was pushed
}

// ListFile is the name of the list of images, in their directory.
const ListFile = "images.json"

// maxList bounds the list.
const maxList = 1 << 20

// ReadImages reads the list of a directory.
func ReadImages(dir string) ([]Image, error) {
	file := filepath.Join(dir, ListFile)
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the list of images: there is no %s: make bench-images writes it, in a checkout of mayfly, or name the directory with --images", file)
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of images: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() > maxList {
		return nil, errors.Join(err, fmt.Errorf("read the list of images: %s is no list: make bench-images writes one", file))
	}
	var all []Image
	if err := json.NewDecoder(f).Decode(&all); err != nil {
		return nil, fmt.Errorf("read the list of images: %s: %w: make bench-images writes it anew", file, err)
	}
	for _, role := range []string{RoleAgent, RoleGuest, RoleServer} {
		if !slices.ContainsFunc(all, func(i Image) bool { return i.Role == role && i.Ref != "" && i.Name != "" }) {
			return nil, fmt.Errorf("read the list of images: %s has no image for the role %s: make bench-images writes it anew", file, role)
		}
	}
	return all, nil
}

// WriteImages writes the list into the directory.
func WriteImages(dir string, all []Image) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ListFile), append(text, '\n'), 0o644)
}
