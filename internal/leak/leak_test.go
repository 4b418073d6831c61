package leak

import (
	"os"
	"runtime"
	"testing"
)

func TestAnOpenFileIsSeen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc/self/fd")
	}
	before := openFiles()
	f, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if left := newFiles(before, openFiles()); len(left) != 1 {
		t.Errorf("one file is open, seen: %q", left)
	}
	f.Close()
	if left := newFiles(before, openFiles()); len(left) != 0 {
		t.Errorf("nothing is open any more, seen: %q", left)
	}
}
