package main

import (
	"errors"
	"os"

	"github.com/tetratelabs/wazero"
)

// mount is a directory of the host that a guest sees.
type mount struct {
	Host, Guest string
	ReadOnly    bool
}

// files are the directories of one site's guests. Each is opened once, as the
// root of all a guest can reach: a link in it that leads out leads nowhere.
type files struct {
	roots  []*os.Root
	config wazero.FSConfig // nil: no files
}

// openFiles opens the mounts, for reading only.
func openFiles(mounts []mount) (*files, error) {
	f := &files{}
	for _, m := range mounts {
		root, err := os.OpenRoot(m.Host)
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		f.roots = append(f.roots, root)
		if f.config == nil {
			f.config = wazero.NewFSConfig()
		}
		f.config = f.config.WithFSMount(root.FS(), m.Guest)
	}
	return f, nil
}

func (f *files) close() error {
	var err error
	for _, r := range f.roots {
		err = errors.Join(err, r.Close())
	}
	return err
}
