package figures

import "testing"

func TestSpreadIsTheMiddleAndTheEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   Spread
	}{
		{"an odd number", []float64{3, 1, 2}, Spread{2, 1, 3}},
		{"an even number", []float64{4, 1, 2, 3}, Spread{2.5, 1, 4}},
		{"one", []float64{7}, Spread{7, 7, 7}},
		{"none", nil, Spread{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := SpreadOf(tt.values); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestRatioIsOfTheSameRounds(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b []float64
		want Spread
	}{
		{"a slow round of both does not change it", []float64{10, 100, 10}, []float64{5, 50, 5}, Spread{2, 2, 2}},
		{"rounds differ", []float64{1, 2, 3}, []float64{1, 1, 1}, Spread{2, 1, 3}},
		{"a round in which nothing came is left out", []float64{1, 2}, []float64{0, 1}, Spread{2, 2, 2}},
		{"so it is if it came to the other alone", []float64{0, 2, 3}, []float64{1, 1, 0}, Spread{2, 2, 2}},
		{"no round is of both", []float64{0, 2}, []float64{1, 0}, Spread{}},
		{"a round is missing", []float64{4, 2}, []float64{2}, Spread{2, 2, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Ratio(tt.a, tt.b); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestASpreadIsReadable(t *testing.T) {
	for want, s := range map[string]Spread{
		"1.24 (1.20–1.31)": {1.24, 1.2, 1.31},
		"123 (98.8–0.05)":  {123.4, 98.76, 0.05},
	} {
		if got := s.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
