// Command probe is the program that the tests of package lockdown run. It does what its first argument says, and writes what it finds to files.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	switch os.Args[1] {
	case "look":
		look()
	case "fail":
		fmt.Fprintln(os.Stderr, "first\nthe module is \x1b[31mbad")
		os.Exit(1)
	case "hang":
		forkHang()
	case "memory":
		var keep [][]byte
		for {
			b := make([]byte, 16<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			keep = append(keep, b)
		}
	case "disk":
		f, err := os.Create("/large")
		for err == nil {
			_, err = f.Write(make([]byte, 1<<20))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case "files":
		for i := 0; ; i++ {
			if err := os.WriteFile(fmt.Sprint("/", i), nil, 0o600); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	case "spin":
		for {
		}
	}
}

// look writes a file for each fact.
func look() {
	var open []string
	for fd := range 64 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			var st unix.Stat_t
			_ = unix.Fstat(fd, &st)
			open = append(open, fmt.Sprintf("%d:%o", fd, st.Mode&unix.S_IFMT))
		}
	}
	say("descriptors", strings.Join(open, " "))
	input, err := io.ReadAll(os.NewFile(6, "input"))
	say("input", string(input), err)
	say("user", os.Getuid(), os.Geteuid(), os.Getgid(), os.Getegid())
	groups, err := os.Getgroups()
	say("groups", groups, err)
	var files []string
	err = filepath.WalkDir("/", func(p string, _ os.DirEntry, err error) error {
		files = append(files, p)
		return err
	})
	say("files", files[0], err)
	say("pid", os.Getpid())
	var caps [2]unix.CapUserData
	err = unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &caps[0])
	say("capabilities", caps, err)
	bounding, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, unix.CAP_SYS_ADMIN, 0, 0, 0)
	say("bounding", bounding, err)
	noNew, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	say("no_new_privs", noNew, err)
	_, err = net.DialTimeout("tcp", "127.0.0.1:22", time.Second)
	say("network", err)
	say("namespace", unix.Unshare(unix.CLONE_NEWUSER))
	say("mount", unix.Mount("none", "/", "tmpfs", 0, ""))
	say("ptrace", unix.PtraceAttach(1))
	_, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	say("socket", err)
	say("environment", os.Environ())
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0)
	say("fork", errno)
	say("arguments", os.Args)
}

func say(name string, facts ...any) {
	if err := os.WriteFile("/"+name, []byte(fmt.Sprintln(facts...)), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// forkHang says that it is there and hangs.
func forkHang() {
	fmt.Fprintln(os.Stderr, "here")
	select {
	case <-time.After(time.Hour):
	}
}
