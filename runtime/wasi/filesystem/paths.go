package filesystem

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/guestfs"
)

// symlinkFollow is the one of wasi:filesystem/types.path-flags.
const symlinkFollow = 1

// The flags of wasi:filesystem/types.open-flags.
const (
	openCreate = 1 << iota
	openDirectory
	openExclusive
	openTruncate
)

func follows(pathFlags component.Value) bool { return pathFlags.Flags()&symlinkFollow != 0 }

// openAt is [method]descriptor.open-at.
//
// What a directory may be used for, other than read-only or not, does not depend on its flags: libraries open one for reading and then
// remove what is in it. The flags are those that were asked for, or come of what was.
func openAt(d *descriptor, args []component.Value) (component.Value, error) {
	path, how, flags := args[1].String(), args[2].Flags(), descriptorFlags(args[3].Flags())
	if flags&flagMutateDirectory != 0 && d.file().ReadOnly() {
		return component.Value{}, unix.EROFS
	}
	flag, flags, err := openFlags(how, flags)
	if err != nil {
		return component.Value{}, err
	}
	if !follows(args[0]) {
		flag |= unix.O_NOFOLLOW
	}
	h, err := d.guest.openFile(d.file(), path, flag)
	if err != nil {
		return component.Value{}, err
	}
	if !h.file.IsDir() {
		flags &^= flagMutateDirectory
	}
	return abi.Resource(&descriptor{guest: d.guest, handle: h, flags: flags}), nil
}

// openFlags returns the flags of open(2), and the descriptor's.
func openFlags(how uint64, flags descriptorFlags) (int, descriptorFlags, error) {
	flag := 0
	if how&openDirectory != 0 {
		if how != openDirectory {
			return 0, 0, unix.EINVAL
		}
		flag |= unix.O_DIRECTORY
	}
	if how&openCreate != 0 {
		flag |= unix.O_CREAT
		if how&openExclusive != 0 {
			flag |= unix.O_EXCL
		}
	}
	if how&openTruncate != 0 {
		flag |= unix.O_TRUNC
	}
	if flags&flagWrite == 0 {
		flags |= flagRead
	}
	if how&(openCreate|openTruncate) != 0 {
		flags |= flagWrite
	}
	switch flags & (flagRead | flagWrite) {
	case flagRead | flagWrite:
		flag |= unix.O_RDWR
	case flagWrite:
		flag |= unix.O_WRONLY
	}
	switch {
	case flags&(flagFileIntegritySync|flagRequestedWriteSync) != 0:
		flag |= unix.O_SYNC
	case flags&flagDataIntegritySync != 0:
		flag |= unix.O_DSYNC
	}
	return flag, flags, nil
}

// createDirectoryAt is [method]descriptor.create-directory-at.
func createDirectoryAt(d *descriptor, args []component.Value) (component.Value, error) {
	return component.Value{}, d.file().MkdirAt(args[0].String(), guestfs.NewDir)
}

// removeDirectoryAt is [method]descriptor.remove-directory-at.
func removeDirectoryAt(d *descriptor, args []component.Value) (component.Value, error) {
	return component.Value{}, d.file().RmdirAt(args[0].String())
}

// unlinkFileAt is [method]descriptor.unlink-file-at.
func unlinkFileAt(d *descriptor, args []component.Value) (component.Value, error) {
	return component.Value{}, d.file().UnlinkAt(args[0].String())
}

// renameAt is [method]descriptor.rename-at.
func renameAt(d *descriptor, args []component.Value) (component.Value, error) {
	return component.Value{}, d.file().RenameAt(args[0].String(), descriptorOf(args[1]).file(), args[2].String())
}

// linkAt is [method]descriptor.link-at.
func linkAt(d *descriptor, args []component.Value) (component.Value, error) {
	if follows(args[0]) {
		return component.Value{}, unix.EINVAL // as in wasmtime
	}
	return component.Value{}, d.file().LinkAt(args[1].String(), descriptorOf(args[2]).file(), args[3].String())
}

// symlinkAt is [method]descriptor.symlink-at.
func symlinkAt(d *descriptor, args []component.Value) (component.Value, error) {
	return component.Value{}, d.file().SymlinkAt(args[0].String(), args[1].String())
}

// readlinkAt is [method]descriptor.readlink-at.
func readlinkAt(d *descriptor, args []component.Value) (component.Value, error) {
	target, err := d.file().ReadlinkAt(args[0].String())
	switch {
	case err != nil:
		return component.Value{}, err
	case strings.HasPrefix(target, "/"):
		return component.Value{}, unix.EPERM
	case !utf8.ValidString(target):
		return component.Value{}, unix.EILSEQ
	}
	return abi.String(target), nil
}
