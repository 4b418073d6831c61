package control

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestAMessageSurvivesTheWire(t *testing.T) {
	for k := Hello; k <= lastKind; k++ {
		for _, text := range []string{"", "no such file", strings.Repeat("x", MaxText)} {
			m := Message{Kind: k, Text: text}
			got, err := Parse(Append(nil, m))
			if err != nil || got != m {
				t.Errorf("sent %+v, got %+v, %v", m, got, err)
			}
		}
	}
}

func TestTooMuchTextIsCut(t *testing.T) {
	got, err := Parse(Append(nil, Message{Kind: Error, Text: strings.Repeat("x", MaxText+1)}))
	if err != nil || len(got.Text) != MaxText {
		t.Errorf("got %d bytes, %v", len(got.Text), err)
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name string
		wire []byte
		want error
	}{
		{"nothing", nil, ErrMalformed},
		{"half a header", []byte{Version}, ErrMalformed},
		{"another version", []byte{Version + 1, byte(Ready)}, ErrVersion},
		{"kind zero", []byte{Version, 0}, ErrMalformed},
		{"an unknown kind", []byte{Version, byte(lastKind) + 1}, ErrMalformed},
		{"too long", append([]byte{Version, byte(Error)}, make([]byte, MaxText+1)...), ErrMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Parse(tc.wire); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Append(nil, Message{Kind: Error, Text: "why"}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		m, err := Parse(wire)
		if err == nil && !bytes.Equal(Append(nil, m), wire) {
			t.Errorf("%x parsed as %+v", wire, m)
		}
	})
}
