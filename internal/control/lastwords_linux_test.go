package control

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLastWordsAreWhereSomebodyAskedForThem(t *testing.T) {
	defer func(before string) { terminationLog = before }(terminationLog)
	dir := t.TempDir()
	terminationLog = filepath.Join(dir, "log")
	LastWords("nobody asked")
	if _, err := os.Stat(terminationLog); err == nil {
		t.Fatal("a file was made that nobody asked for")
	}
	for _, tc := range []struct{ name, text, want string }{
		{"a sentence", "the guest trapped", "the guest trapped"},
		{"a shorter one after it", "why\n\tb()", "why\nb()"},
		{"a terminal's codes and no UTF-8", "a\x1b[31mb\xff\u0085c", "a[31mb?c"},
		{"more than is read", strings.Repeat("ä", maxLastWords), strings.Repeat("ä", maxLastWords/2)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := os.WriteFile(terminationLog, []byte("what the container before has left there, which is longer"), 0o600); err != nil {
				t.Fatal(err)
			}
			LastWords(tc.text)
			if got, err := os.ReadFile(terminationLog); err != nil || string(got) != tc.want {
				t.Errorf("got %.100q, %v", got, err)
			}
		})
	}
	if err := os.Symlink("log", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	terminationLog = filepath.Join(dir, "link")
	LastWords("through a link")
	if got, _ := os.ReadFile(filepath.Join(dir, "log")); strings.Contains(string(got), "link") {
		t.Error("a link was followed")
	}
}
