package guestfs

import "golang.org/x/sys/unix"

// hidden are the entries of a container's root that are not for guests: our own files, and the kernel's.
var hidden = []string{".mayfly", "proc", "sys", "dev"}

// stepFlags open a directory to go through. It need not be readable for that.
const stepFlags = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW

// OpenContainer opens the files of the container this process runs in: all but /.mayfly, /proc, /sys and /dev.
func OpenContainer() (*Files, error) { return openContainer("/", hidden) }

// openContainer opens a directory as if it were a container's root.
func openContainer(root string, hidden []string) (*Files, error) {
	t := &tree{container: true, hidden: map[string]bool{}}
	for _, name := range hidden {
		t.hidden[name] = true
	}
	dir, err := openRoot(root, t)
	if err != nil {
		return nil, describe(root, err)
	}
	return &Files{preopens: []Preopen{{Path: "/", Dir: dir}}}, nil
}
