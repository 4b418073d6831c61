package lab

import "testing"

func TestAnAnswerThatTellsTheTime(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"time": "2026-01-02T03:04:05Z", "unix": 1, "instance": "ab", "language": "c"}`: true,
		`{"time":"x","unix":1,"instance":"ab","language":"go, in a container"}`:          true,
		`{"time": "x"}`:   false,
		"":                false,
		"internal error ": false,
	} {
		if err := TellsTheTime([]byte(body)); (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}
