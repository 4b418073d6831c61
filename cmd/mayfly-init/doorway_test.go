//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAnIdleEngineIsStartedAgainByTheFirstByte(t *testing.T) {
	p := startHolder(t, "goes idle")
	p.waitForEngines(t, 0)
	// A connection that says nothing, and one that leaves, wake nobody.
	p.dial(t)
	p.dial(t).Close()
	time.Sleep(100 * time.Millisecond)
	if n := p.engines(t); n != 0 {
		t.Fatalf("%d engines were woken by silence", n)
	}
	first := p.ask(t)
	p.waitForEngines(t, 0)
	if second := p.ask(t); second == first {
		t.Errorf("engine %s answered twice, though it had gone", first)
	}
}

func TestASilentConnectionIsServedWhenItSpeaks(t *testing.T) {
	p := startHolder(t, "goes idle")
	p.waitForEngines(t, 0)
	c := p.dial(t)
	time.Sleep(50 * time.Millisecond)
	fmt.Fprintln(c, "hello at last")
	if answer, err := io.ReadAll(c); err != nil || len(answer) == 0 {
		t.Errorf("no answer: %q, %v", answer, err)
	}
}

func TestUrgentDataWakesNobodyAndIsHungUpOn(t *testing.T) {
	p := startHolder(t, "goes idle")
	p.waitForEngines(t, 0)
	c := p.dial(t)
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = unix.Sendto(int(fd), []byte("!"), unix.MSG_OOB, nil) })
	if err == unix.EOPNOTSUPP {
		t.Skip("this kernel has no urgent data on unix sockets")
	}
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the connection is not closed: %d, %v", n, err)
	}
	p.mustRest(t)
	if n := p.starts(); n != 1 {
		t.Errorf("%d engines were started", n)
	}
	p.ask(t)
}

func TestAHolderWithoutDescriptorsRests(t *testing.T) {
	p := startHolder(t, "goes idle")
	p.waitForEngines(t, 0)
	p.allowFiles(t, 4) // poll(2) takes as many
	p.dial(t)
	p.mustRest(t)
	if log := p.log.String(); strings.Count(log, "accept a connection") != 1 {
		t.Errorf("the log does not say once what is wrong: %s", log)
	}
	p.allowFiles(t, 1<<10)
	p.ask(t)
}

func TestAListenerThatWasShutDownEndsTheContainer(t *testing.T) {
	p := startHolder(t, "goes idle")
	p.waitForEngines(t, 0)
	raw, err := p.listener.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = unix.Shutdown(int(fd), unix.SHUT_RDWR) })
	if err != nil {
		t.Fatal(err)
	}
	if code := p.exitCode(t); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(p.log.String(), "was shut down by another process") {
		t.Errorf("the log does not say why: %s", p.log)
	}
}

func TestARequestSurvivesAnEngineThatDiesAtStart(t *testing.T) {
	p := startHolder(t, "goes idle, then dies once")
	p.waitForEngines(t, 0)
	p.ask(t)
	if n := p.starts(); n != 3 {
		t.Errorf("%d engines were started, want one that went idle, one that died and one that answered", n)
	}
}

func TestARequestSurvivesAnEngineThatCannotBeStarted(t *testing.T) {
	p := startHolder(t, "goes idle")
	p.waitForEngines(t, 0)
	away := p.engine + ".away"
	if err := os.Rename(p.engine, away); err != nil {
		t.Fatal(err)
	}
	c := p.dial(t)
	fmt.Fprintln(c, "anybody?")
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(p.log.String(), "could not be started"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say that there is no engine: %s", p.log)
		}
	}
	if err := os.Rename(away, p.engine); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(c); err != nil || len(answer) == 0 {
		t.Errorf("no answer: %q, %v", answer, err)
	}
}

func TestEnginesAreNotStartedForeverForOneRequest(t *testing.T) {
	p := startHolder(t, "goes idle, then dies early")
	p.waitForEngines(t, 0)
	c := p.dial(t)
	fmt.Fprintln(c, "anybody?")
	if answer, err := io.ReadAll(c); len(answer) != 0 || os.IsTimeout(err) {
		t.Errorf("the connection is not closed: %q, %v", answer, err)
	}
	if n := p.starts(); n != 1+maxTries {
		t.Errorf("%d engines were started", n)
	}
}

// poll(2) looks at a socket that the kernel is changing: of a client that leaves it may say that there is more to read, before it says that
// the client has left. That wakes nobody.
func TestNewsOfNothingIsLookedAtTwice(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	if _, err := unix.Write(fds[0], []byte("PRI * ")); err != nil {
		t.Fatal(err)
	}
	var h holder
	for _, tc := range []struct {
		name   string
		news   int16
		stays  bool
		manner manner
	}{
		{"readable", unix.POLLIN, true, silent},
		{"and its end is known", unix.POLLIN | unix.POLLRDHUP, false, silent},
		{"and still nothing else is", unix.POLLIN, true, spoke},
	} {
		v := visitor{fd: fds[1], seen: len("PRI * "), puzzled: tc.name != "readable"}
		if stays := h.judge(&v, tc.news); stays != tc.stays || v.manner != tc.manner {
			t.Errorf("%s: it stays: %v, in manner %d; want %v and %d", tc.name, stays, v.manner, tc.stays, tc.manner)
		}
	}
}
