package control

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAStatusSurvivesTheWire(t *testing.T) {
	for _, s := range []Status{
		{Doing: Asleep, Ready: true, Sentence: "it sleeps", Holder: 1, Figures: []byte{}},
		{Doing: Failing, Sentence: "the engine exited with status 7 = bad", Holder: 7, Engine: 8, Engines: 9, Wakes: 3, Failures: 2, Probes: 11,
			Figures: []byte("requests=1 limit=2")},
	} {
		got, err := ParseStatus(string(AppendStatus(nil, &s)))
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("sent %+v, got %+v, %v", s, got, err)
		}
	}
}

func TestASentenceIsOneLine(t *testing.T) {
	s := Status{Doing: Failing, Sentence: "one\nready=true\r"}
	got, err := ParseStatus(string(AppendStatus(nil, &s)))
	if err != nil || got.Ready || got.Sentence != "one ready=true " {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAStatusFitsIntoAMessage(t *testing.T) {
	s := Status{Doing: Failing, Sentence: "fails: " + strings.Repeat("é", MaxText), Failures: 3, Figures: make([]byte, MaxFigures)}
	m, err := Parse(AppendStatus(Append(nil, Message{Kind: State}), &s))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseStatus(m.Text)
	if err != nil || got.Failures != 3 || len(got.Figures) != MaxFigures {
		t.Errorf("got %+v, %v", got, err)
	}
	if n := len(got.Sentence); n < maxSentence-1 || !strings.HasPrefix(s.Sentence, got.Sentence) || !utf8.ValidString(got.Sentence) {
		t.Errorf("got a sentence of %d bytes: %q", n, got.Sentence)
	}
}

func TestAStatusOfAnotherReleaseIsUnderstood(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       error
	}{
		{"less than ours", "doing=asleep\n", nil},
		{"more than ours", "doing=asleep\nmood=good\n", nil},
		{"nothing", "", ErrMalformed},
		{"no key", "asleep\n", ErrMalformed},
		{"no number", "doing=asleep\nengines=some\n", ErrMalformed},
		{"no truth", "doing=asleep\nready=perhaps\n", ErrMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := ParseStatus(tc.text); err != tc.want {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestFiguresSurviveTheWire(t *testing.T) {
	want := Figures{Requests: 1, InFlight: 2, Queued: 3, Refused: 4, Failed: 5, Probes: 6, Instances: 7, Limit: 1<<64 - 1}
	text := want.String()
	if got := ParseFigures(text + " mood=good bad= limits=7"); got != want {
		t.Errorf("sent %+v, got %+v", want, got)
	}
	most := uint64(1<<64 - 1)
	if all := (&Figures{most, most, most, most, most, most, most, most}).String(); len(all) > MaxFigures {
		t.Errorf("the figures can be %d bytes", len(all))
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add(string(AppendStatus(nil, &Status{Doing: Serving, Figures: []byte("requests=1")})))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseStatus(text)
		if err == nil {
			figures := ParseFigures(string(s.Figures))
			if again := ParseFigures(figures.String()); again != figures {
				t.Errorf("%+v became %+v", figures, again)
			}
		}
	})
}
