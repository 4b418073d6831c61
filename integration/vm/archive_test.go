//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestAnArchiveHasItsFilesInOrderEachOnAFourByteBoundary(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a": "12345", "b": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "archive")
	if err := writeArchive(path, []archived{{"init", filepath.Join(dir, "a")}, {"module.ko", filepath.Join(dir, "b")}}); err != nil {
		t.Fatal(err)
	}
	rest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// field reads a number of a header, in the order of the format.
	field := func(i int) int {
		n, err := strconv.ParseInt(string(rest[6+8*i:14+8*i]), 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	}
	up := func(n int) int { return (n + 3) &^ 3 }
	for _, want := range []struct{ name, text string }{{"init", "12345"}, {"module.ko", ""}, {"TRAILER!!!", ""}} {
		const header = 110
		if magic := string(rest[:6]); magic != "070701" {
			t.Fatalf("the header of %s begins with %q", want.name, magic)
		}
		size, nameSize := field(6), field(11)
		name := string(rest[header : header+nameSize-1])
		text := string(rest[up(header+nameSize):][:size])
		if name != want.name || text != want.text {
			t.Errorf("got %q with %q, want %q with %q", name, text, want.name, want.text)
		}
		rest = rest[up(up(header+nameSize)+size):]
	}
	if len(rest) != 0 {
		t.Errorf("%d bytes follow the end", len(rest))
	}
}
