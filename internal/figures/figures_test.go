package figures

import (
	"testing"
	"time"
)

func TestQuantileIsAValueOfTheSample(t *testing.T) {
	hundred := make(Sample[int64], 100)
	for i := range hundred {
		hundred[i] = int64(100 - i)
	}
	for _, tt := range []struct {
		name   string
		sample Sample[int64]
		q      float64
		want   int64
	}{
		{"the middle of a hundred", hundred, 0.5, 50},
		{"the slow end of a hundred", hundred, 0.99, 99},
		{"all of a hundred", hundred, 1, 100},
		{"none is below the first", hundred, 0, 1},
		{"of one there is only one", Sample[int64]{7}, 0.99, 7},
		{"of none there is none", nil, 0.5, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.sample.Quantile(tt.q); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
	if hundred[0] != 100 {
		t.Error("the sample was sorted in place")
	}
}

func TestTimingsReadServerTiming(t *testing.T) {
	got := Timings{}
	got.Add("queue;dur=0.012, instance;dur=0.05, run;dur=3")
	got.Add("queue;dur=nonsense, other")
	if len(got) != 3 || len(got["queue"]) != 1 || got["instance"][0] != 50*time.Microsecond || got["run"][0] != 3*time.Millisecond {
		t.Errorf("got %v", got)
	}
}

func TestShortFitsTheUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{950 * time.Microsecond: "950 µs", 1234 * time.Microsecond: "1.2 ms", 15135 * time.Millisecond: "15.1 s"} {
		if got := Short(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
