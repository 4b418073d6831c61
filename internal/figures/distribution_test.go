package figures

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

func TestADistributionEndsWhereTooFewAreLeft(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		last float64
	}{
		{"ten thousand", 10000, 0.9999},
		{"a thousand", 1000, 0.999},
		{"less than a thousand", 999, 0.998},
		{"ten", 10, 0.9},
		{"one", 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			times := make(Times, tt.n)
			for i := range times {
				times[i] = time.Duration(tt.n-i) * time.Microsecond
			}
			all := Distribution(times)
			if all[0] != (Quantile{0, 1}) || all[len(all)-1].Q != tt.last {
				t.Errorf("from %v to %v", all[0], all[len(all)-1])
			}
		})
	}
	if Distribution(nil) != nil {
		t.Error("nothing has a distribution")
	}
}

func TestADistributionCanBeReadAgain(t *testing.T) {
	want := []Quantile{{0, 1.5}, {0.5, 20}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got []Quantile
	if err := json.Unmarshal(text, &got); err != nil || !slices.Equal(got, want) || string(text) != "[[0,1.5],[0.5,20]]" {
		t.Errorf("%s: %v, %v", text, got, err)
	}
}
