package control

import (
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func pair(t *testing.T) (*Conn, *Conn) {
	t.Helper()
	a, b, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestDescriptorsComeWithAMessage(t *testing.T) {
	a, b := pair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := a.Send(Message{Kind: Listen}, int(w.Fd())); err != nil {
		t.Fatal(err)
	}
	w.Close()
	m, fds, err := b.Recv()
	if err != nil || m.Kind != Listen || len(fds) != 1 {
		t.Fatalf("got %+v, %v, %v", m, fds, err)
	}
	unix.Write(fds[0], []byte("x"))
	CloseAll(fds)
	if got, err := io.ReadAll(r); string(got) != "x" {
		t.Errorf("got %q, %v through the descriptor", got, err)
	}
}

func TestTooManyDescriptorsAreRefusedAndClosed(t *testing.T) {
	a, b := pair(t)
	fds := make([]int, MaxFiles+4)
	for i := range fds {
		fds[i] = a.Fd()
	}
	if err := a.Send(Message{Kind: Listen}, fds...); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Recv(); !errors.Is(err, ErrMalformed) {
		t.Errorf("got %v, want ErrMalformed", err)
	}
}

func TestAMessageTooLongIsRefused(t *testing.T) {
	a, b := pair(t)
	if err := unix.Sendmsg(a.Fd(), make([]byte, MaxMessage+100), nil, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Recv(); !errors.Is(err, ErrMalformed) {
		t.Errorf("got %v, want ErrMalformed", err)
	}
}

func TestTheOtherSideGoneIsTheEnd(t *testing.T) {
	a, b, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	a.Close()
	if _, _, err := b.Recv(); err != io.EOF {
		t.Errorf("got %v, want EOF", err)
	}
	if err := b.Send(Message{Kind: Beat}); err == nil {
		t.Error("a message went to nobody")
	}
}

func TestBeatsAreHeardWithoutGarbage(t *testing.T) {
	a, b := pair(t)
	beat := Append(nil, Message{Kind: Beat, Text: "requests=1"})
	var buf Buffer
	allocs := testing.AllocsPerRun(100, func() {
		unix.Write(a.Fd(), beat)
		if kind, text, err := b.Next(&buf); err != nil || kind != Beat || string(text) != "requests=1" {
			t.Fatalf("got %d %q, %v", kind, text, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations for each beat", allocs)
	}
}
