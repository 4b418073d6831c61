//go:build linux

package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
)

// startsFile has a byte for each engine that was started.
const startsFile = "starts"

// loadedFile ends the loading of a slow engine.
const loadedFile = "loaded"

// playEngine answers each connection with its pid, as the engine of a sidecar would, and leaves as its part says.
func playEngine(part string) int {
	status := control.NewConn(3)
	status.Send(control.Message{Kind: control.Beat}) // the holder is to expect it at any time
	nth := countStart()
	switch part {
	case "refuses":
		status.Send(control.Message{Kind: control.Error, Text: "no such app"})
		return 1
	case "dies early":
		return 7
	case "command":
		status.Send(control.Message{Kind: control.Final})
		status.Send(control.Message{Kind: control.Ready})
		return 42
	case "long command":
		status.Send(control.Message{Kind: control.Final})
		status.Send(control.Message{Kind: control.Ready})
		hang()
	case "talks nonsense":
		unix.Write(3, []byte("nonsense"))
		hang()
	case "goes idle, then tells its code":
		part = turn(nth, "goes idle", "tells its code")
	case "goes idle, then dies once":
		part = turn(nth, "goes idle", "dies", "stays")
	case "goes idle, then dies twice":
		part = turn(nth, "goes idle", "dies", "dies", "stays")
	case "goes idle, then tells its arguments":
		part = turn(nth, "goes idle", "tells its arguments")
	case "goes idle, then dies early":
		part = turn(nth, "goes idle", "dies")
	case "goes idle, then is slow":
		part = turn(nth, "goes idle", "is slow")
	case "goes idle, then loads for ever":
		part = turn(nth, "goes idle", "loads")
	case "leaves the link to a child":
		part = turn(nth, "leaves the link", "stays")
	case "outlives its engine":
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(startsFile); err != nil { // the test is over
				break
			}
		}
		return 0
	}
	switch part {
	case "dies":
		return 7
	case "loads":
		hang()
	case "leaves the link":
		child := exec.Cmd{
			Path:       "/proc/self/exe",
			Env:        append(os.Environ(), enginePart+"outlives its engine"),
			ExtraFiles: []*os.File{os.NewFile(3, "link")},
		}
		if err := child.Start(); err != nil {
			return 1
		}
		status.Send(control.Message{Kind: control.Ready})
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	listener, first := sockets()
	if part == "is slow" {
		status.Send(control.Message{Kind: control.Slow})
		for {
			if _, err := os.Stat(loadedFile); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		status.Send(control.Message{Kind: control.Ready})
		first = append(first, take(status)...)
		return serve(part, status, listener, first)
	}
	status.Send(control.Message{Kind: control.Ready})
	if part == "falls silent" {
		hang()
	}
	return serve(part, status, listener, first)
}

func serve(part string, status *control.Conn, listener net.Listener, first []net.Conn) int {
	answer := func(c net.Conn) {
		_, _ = bufio.NewReader(c).ReadString('\n')
		switch part {
		case "tells its code":
			fmt.Fprintln(c, code())
		case "tells its arguments":
			fmt.Fprintln(c, os.Args)
		default:
			fmt.Fprintf(c, "%d\n", os.Getpid())
		}
		c.Close()
		switch part {
		case "takes too much memory":
			os.WriteFile("oom", []byte("oom 1\noom_kill 1\n"), 0o600)
			fallthrough
		case "crashes":
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	for _, c := range first {
		go answer(c)
	}
	for {
		if part == "goes idle" {
			listener.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Now().Add(50 * time.Millisecond))
		}
		c, err := listener.Accept()
		if err != nil {
			status.Send(control.Message{Kind: control.Idle})
			return 0
		}
		go answer(c)
	}
}

// take takes the connections that came meanwhile.
func take(status *control.Conn) (conns []net.Conn) {
	for {
		m, fds, err := status.Recv()
		if err != nil || m.Kind != control.Take || len(fds) == 0 {
			return conns
		}
		for _, fd := range fds {
			f := os.NewFile(uintptr(fd), m.Text)
			c, _ := net.FileConn(f)
			conns = append(conns, c)
			f.Close()
		}
	}
}

// countStart notes that one more engine was started, and returns how many that makes.
func countStart() int {
	f, err := os.OpenFile(startsFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0
	}
	defer f.Close()
	f.WriteString("x")
	info, _ := f.Stat()
	return int(info.Size())
}

// turn is the part of the nth engine; the last goes on for ever.
func turn(nth int, parts ...string) string { return parts[min(nth, len(parts))-1] }

// code is what is in the directory with compiled code.
func code() string {
	at := slices.Index(os.Args, "-compiled")
	if at < 0 {
		return "none"
	}
	b, err := os.ReadFile("/proc/self/fd/" + os.Args[at+1] + "/code")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// sockets opens what -listen and -conn name.
func sockets() (net.Listener, []net.Conn) {
	var listener net.Listener
	var conns []net.Conn
	for i, arg := range os.Args {
		if arg != "-listen" && arg != "-conn" && arg != "-greeted" {
			continue
		}
		for _, n := range strings.Split(os.Args[i+1], ",") {
			var fd int
			fmt.Sscan(n, &fd)
			f := os.NewFile(uintptr(fd), n)
			if arg == "-listen" {
				listener, _ = net.FileListener(f)
			} else {
				c, _ := net.FileConn(f)
				conns = append(conns, c)
			}
			f.Close()
		}
	}
	return listener, conns
}

// hang does nothing for longer than any test lasts. Not select {}: of that, Go makes an error where no thread is C's.
func hang() { time.Sleep(time.Hour) }
