package control

import (
	"errors"
	"net"
	"path/filepath"
	"testing"
)

func TestAToolIsTold(t *testing.T) {
	state := Append(nil, Message{Kind: State})
	state = AppendStatus(state, &Status{Doing: Asleep, Sentence: "it sleeps"})
	for _, tc := range []struct {
		name   string
		answer []byte
		want   error
	}{
		{"the state", state, nil},
		{"nothing, by the shim", nil, ErrNotYet},
		{"something else", Append(nil, Message{Kind: Beat}), ErrMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, err := l.Accept()
				if err != nil {
					return
				}
				if tc.answer != nil {
					c.Write(tc.answer)
				}
				c.Close()
			}()
			got, err := Ask(path)
			l.Close()
			<-done
			if !errors.Is(err, tc.want) || err == nil && got.Sentence != "it sleeps" {
				t.Errorf("got %+v, %v, want %v", got, err, tc.want)
			}
		})
	}
}

func TestAToolIsToldThatNobodyAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := Ask(path); err != ErrNobody {
		t.Errorf("got %v", err)
	}
}
