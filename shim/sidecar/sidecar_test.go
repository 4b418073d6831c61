//go:build linux

package sidecar

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// newSidecar returns one whose holder will be this process, and where it connects.
func newSidecar(t *testing.T) (*Sidecar, string) {
	t.Helper()
	dir := t.TempDir()
	l, err := listenControl(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &Sidecar{ID: "a", control: l, ended: make(chan struct{})}
	t.Cleanup(s.Close)
	if err := errors.Join(s.Created(os.Getpid()), s.Begin()); err != nil {
		t.Fatal(err)
	}
	return s, filepath.Join(dir, socketFile)
}

// play connects as the holder and sends these messages, the second and later after the Listen message.
func play(t *testing.T, socket string, messages ...[]byte) <-chan int {
	t.Helper()
	got := make(chan int, 1)
	c, err := control.Dial(socket)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer c.Close()
		defer close(got)
		for i, m := range messages {
			_, _ = unix.Write(c.Fd(), m)
			if i == 0 {
				_, fds, err := c.Recv()
				control.CloseAll(fds)
				if err != nil {
					return
				}
				got <- len(fds)
			}
		}
	}()
	return got
}

func message(k control.Kind, text string) []byte {
	return control.Append(nil, control.Message{Kind: k, Text: text})
}

func TestHowAHandshakeEnds(t *testing.T) {
	hello := message(control.Hello, "")
	for _, tc := range []struct {
		name     string
		messages [][]byte
		want     error
		text     string
	}{
		{"ready", [][]byte{hello, message(control.Ready, "")}, nil, ""},
		{"refused", [][]byte{hello, message(control.Error, "import env.foo: nothing provides it")}, ErrRefused, "nothing provides it"},
		{"refused with terminal codes", [][]byte{hello, message(control.Error, "a\x1b[31mb\nc\xff")}, ErrRefused, "a[31mb c"},
		{"gone without a word", [][]byte{hello}, nil, "wait for the engine: EOF"},
		{"nonsense", [][]byte{hello, []byte("\x01\xff")}, control.ErrMalformed, ""},
		{"another kind of message", [][]byte{hello, message(control.Beat, "")}, control.ErrMalformed, ""},
		{"another version", [][]byte{{control.Version + 1, byte(control.Hello)}}, control.ErrVersion, "of one release"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, socket := newSidecar(t)
			done := play(t, socket, tc.messages...)
			err := s.Handshake(t.Context(), nil)
			for range done {
			}
			switch {
			case tc.want == nil && tc.text == "" && err != nil:
				t.Errorf("got %v", err)
			case tc.want != nil && !errors.Is(err, tc.want):
				t.Errorf("got %v, want %v", err, tc.want)
			case tc.text != "" && (err == nil || !strings.Contains(err.Error(), tc.text)):
				t.Errorf("got %v, want %q in it", err, tc.text)
			}
		})
	}
}

func TestACommandIsToldFromAServer(t *testing.T) {
	for _, tc := range []struct {
		said control.Kind
		want bool
	}{{control.Ready, false}, {control.Final, true}} {
		s, socket := newSidecar(t)
		done := play(t, socket, message(control.Hello, ""), message(tc.said, ""))
		if err := s.Handshake(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := s.Command(); got != tc.want {
			t.Errorf("kind %d: got %v", tc.said, got)
		}
		for range done {
		}
	}
}

func TestTheListenersReachTheHolder(t *testing.T) {
	s, socket := newSidecar(t)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := play(t, socket, message(control.Hello, ""), message(control.Ready, ""))
	if err := s.Handshake(t.Context(), []*os.File{f, f}); err != nil {
		t.Fatal(err)
	}
	if n := <-got; n != 3 {
		t.Errorf("the holder got %d descriptors", n)
	}
	for range got {
	}
}

func TestTheHolderIsToldOfCompiledCode(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for _, compiled := range []*os.File{nil, dir} {
		s, socket := newSidecar(t)
		holder, err := control.Dial(socket)
		if err != nil {
			t.Fatal(err)
		}
		defer holder.Close()
		if err := holder.Send(control.Message{Kind: control.Hello}); err != nil {
			t.Fatal(err)
		}
		c, err := s.meet(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := s.hand(c, []*os.File{dir}, compiled); err != nil {
			t.Fatal(err)
		}
		m, fds, err := holder.Recv()
		if err != nil {
			t.Fatal(err)
		}
		control.CloseAll(fds)
		want, count := control.Tools, 2
		if compiled != nil {
			want, count = control.Compiled+" "+control.Tools, 3
		}
		if m.Text != want || len(fds) != count {
			t.Errorf("got %+v with %d descriptors", m, len(fds))
		}
	}
}

func TestTheHolderAnswersToolsOnTheControlSocket(t *testing.T) {
	s, socket := newSidecar(t)
	holder, err := control.Dial(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	if err := holder.Send(control.Message{Kind: control.Hello}); err != nil {
		t.Fatal(err)
	}
	c, err := s.meet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := s.hand(c, nil, nil); err != nil {
		t.Fatal(err)
	}
	_, fds, err := holder.Recv()
	if err != nil || len(fds) != 1 {
		t.Fatalf("got %d descriptors, %v", len(fds), err)
	}
	defer control.CloseAll(fds)
	s.Close() // the shim goes on without it

	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			fd, _, err := unix.Accept(fds[0])
			if err == unix.EAGAIN {
				time.Sleep(time.Millisecond)
				continue
			}
			if err == nil {
				_, _ = unix.Write(fd, control.AppendStatus(message(control.State, ""), &control.Status{Doing: control.Asleep}))
				unix.Close(fd)
			}
			return
		}
	}()
	status, err := control.Ask(socket)
	<-done
	if err != nil || status.Doing != control.Asleep {
		t.Errorf("got %+v, %v", status, err)
	}
}

func TestAStrangerIsNotTheHolder(t *testing.T) {
	s, socket := newSidecar(t)
	s.pid = 1 // the holder is somebody else
	done := play(t, socket, message(control.Hello, ""))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.Handshake(ctx, nil); err == nil {
		t.Error("a stranger was taken for the holder")
	}
	for range done {
	}
}

func TestAContainerThatEndsBreaksTheHandshakeOff(t *testing.T) {
	s, _ := newSidecar(t)
	timer := time.AfterFunc(50*time.Millisecond, s.Exited)
	defer timer.Stop()
	err := s.Handshake(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "the container ended") {
		t.Errorf("got %v", err)
	}
}

func TestACommandThatHasEndedByTheTimeItIsReadyHasStarted(t *testing.T) {
	s, socket := newSidecar(t)
	done := play(t, socket, message(control.Hello, ""), message(control.Ready, ""))
	c, err := s.meet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := s.hand(c, nil, nil); err != nil {
		t.Fatal(err)
	}
	for range done {
	}
	s.Exited()
	if err := s.hear(t.Context(), c); err != nil {
		t.Error(err)
	}
}

func TestAHolderThatDiesIsToldAsTheEndOfTheContainer(t *testing.T) {
	s, socket := newSidecar(t)
	done := play(t, socket, message(control.Hello, ""))
	timer := time.AfterFunc(200*time.Millisecond, s.Exited)
	defer timer.Stop()
	err := s.Handshake(t.Context(), nil)
	for range done {
	}
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "the container ended") {
		t.Errorf("got %v", err)
	}
}

func TestAContainerKilledBeforeItRuns(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	s := &Sidecar{}
	if err := s.Created(gone.Process.Pid); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "memory limit") {
		t.Errorf("got %v", err)
	}
}

func TestALifeHasOneDirection(t *testing.T) {
	s := &Sidecar{ended: make(chan struct{})}
	for _, tc := range []struct {
		next state
		ok   bool
	}{{running, false}, {starting, true}, {starting, false}, {created, true}, {starting, true}, {running, true}, {created, false}, {starting, false},
		{exited, true}, {exited, true}, {running, false}, {starting, false}, {created, false}} {
		if err := s.become(tc.next); (err == nil) != tc.ok {
			t.Errorf("from %s to %s: %v", s.state.word(), tc.next.word(), err)
		} else if err != nil && !errors.Is(err, ErrState) {
			t.Errorf("%v is no ErrState", err)
		}
	}
}
