//go:build linux

package lockdown

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxFiles bounds the files of an output.
const maxFiles = 8 << 10

// newRoot makes a file system in memory that is mounted nowhere yet. Its memory counts as that of whoever writes.
func newRoot(job Job) (*os.File, error) {
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fs)
	user := strconv.Itoa(job.User)
	for _, o := range [][2]string{
		{"size", strconv.FormatInt(job.Memory/2, 10)}, {"nr_inodes", strconv.Itoa(maxFiles)},
		{"mode", "0700"}, {"uid", user}, {"gid", user},
	} {
		if err := unix.FsconfigSetString(fs, o[0], o[1]); err != nil {
			return nil, fmt.Errorf("%s=%s: %w", o[0], o[1], err)
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, err
	}
	// Not MOUNT_ATTR_NOEXEC: whoever compiles may want to run what it has compiled, to see that it does.
	mnt, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(mnt), "root"), nil
}

// openOutput opens a root for reading.
func openOutput(root *os.File) (*os.File, error) {
	fd, err := unix.Openat(int(root.Fd()), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "output"), nil
}
