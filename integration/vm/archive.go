//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// archived is a file of an archive the kernel unpacks when it boots.
type archived struct{ name, from string }

// writeArchive writes files, none of them in a directory, all of them
// executable, in the format that the kernel's documentation calls newc.
func writeArchive(path string, files []archived) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for i, a := range files {
		text, err := os.ReadFile(a.from)
		if err != nil {
			return errors.Join(err, f.Close())
		}
		writeEntry(w, i+1, 0o100755, a.name, text)
	}
	writeEntry(w, 0, 0, "TRAILER!!!", nil)
	return errors.Join(w.Flush(), f.Close()) // what a bufio.Writer failed at it says when it is flushed
}

func writeEntry(w io.Writer, inode, mode int, name string, text []byte) {
	const magic = "070701"
	uid, gid, links, mtime, check := 0, 0, 1, 0, 0
	major, minor, rmajor, rminor := 0, 0, 0, 0
	fmt.Fprint(w, magic)
	for _, n := range []int{inode, mode, uid, gid, links, mtime, len(text), major, minor, rmajor, rminor, len(name) + 1, check} {
		fmt.Fprintf(w, "%08x", n)
	}
	const header = len(magic) + 13*8
	fmt.Fprint(w, name, "\x00")
	pad(w, header+len(name)+1)
	w.Write(text)
	pad(w, len(text))
}

// pad fills up to a multiple of four bytes.
func pad(w io.Writer, n int) { w.Write(make([]byte, -n&3)) }
