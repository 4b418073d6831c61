package guestfs

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkReadingASmallFile is what a guest pays to open, read and close a file three directories down.
func BenchmarkReadingASmallFile(b *testing.B) {
	host := b.TempDir()
	if err := os.MkdirAll(filepath.Join(host, "etc", "app", "conf"), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(host, "etc", "app", "conf", "file"), []byte("content"), 0o644); err != nil {
		b.Fatal(err)
	}
	files, err := OpenDirs([]Mount{{Host: host, Guest: "/"}})
	if err != nil {
		b.Fatal(err)
	}
	defer files.Close()
	buf := make([]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		f, err := files.preopens[0].Dir.OpenAt("etc/app/conf/file", os.O_RDONLY, 0)
		if err != nil {
			b.Fatal(err)
		}
		if n, _ := f.ReadAt(buf, 0); n != 7 {
			b.Fatal(n)
		}
		f.Close()
	}
}
