// Package leak fails a package's tests when they leave goroutines or file descriptors behind.
//
// It is for tests only: call [Main] from TestMain.
package leak

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// settle is how long descriptors and goroutines that are just being closed may take to go away.
const settle = 2 * time.Second

// Main runs the tests of a package and exits; with status 99 when all passed but something was left behind.
func Main(m *testing.M, options ...goleak.Option) {
	before := openFiles()
	code := m.Run()
	if code == 0 {
		code = check(before, options)
	}
	os.Exit(code)
}

func check(before map[string]string, options []goleak.Option) int {
	code := 0
	if err := goleak.Find(options...); err != nil {
		fmt.Fprintln(os.Stderr, "leak: goroutines left behind:", err)
		code = 99
	}
	var left []string
	for deadline := time.Now().Add(settle); ; time.Sleep(10 * time.Millisecond) {
		left = newFiles(before, openFiles())
		if len(left) == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, f := range left {
		fmt.Fprintln(os.Stderr, "leak: file descriptor left behind:", f)
		code = 99
	}
	return code
}

func newFiles(before, after map[string]string) []string {
	var left []string
	for fd, target := range after {
		if before[fd] != target && !runtimeOwned(target) {
			left = append(left, fd+" -> "+target)
		}
	}
	return left
}

// openFiles maps descriptor numbers to what they refer to. It is empty where the system has no /proc/self/fd.
func openFiles() map[string]string {
	files := map[string]string{}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return files
	}
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			files[e.Name()] = target
		}
	}
	return files
}

// runtimeOwned reports descriptors that the Go runtime opens once, on first use, and keeps for ever.
func runtimeOwned(target string) bool {
	switch target {
	case "anon_inode:[eventpoll]", "anon_inode:[eventfd]", "anon_inode:[pidfd]", "/dev/null", "/dev/urandom":
		return true
	}
	// The runtime keeps the cgroup's CPU limit file open to follow GOMAXPROCS.
	return len(target) > 15 && target[:15] == "/sys/fs/cgroup/"
}
