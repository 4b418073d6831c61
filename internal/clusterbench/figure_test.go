package clusterbench

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
	"github.com/mayfly-run/mayfly/internal/figures"
)

// measured are results as a run makes them.
func measured() *Results {
	r := &Results{Images: someImages(), LeftOut: []string{"something"}, Notes: []string{"so it was"}}
	c, s := subject{name: "c", title: "C"}, subject{name: server, title: "Go server"}
	for round := 1; round <= 3; round++ {
		for _, t := range []struct {
			of   subject
			each time.Duration
		}{{c, 2 * time.Millisecond}, {s, time.Millisecond}} {
			times := make(figures.Times, 50)
			for i := range times {
				times[i] = t.each * time.Duration(round)
			}
			r.figure(Requests, "kept", unitTime, t.of).addTimes(order.Answer{Times: times, N: 50})
		}
	}
	r.figure(Requests, "rate-64", unitRate, c).addRate(order.Answer{N: 300, Spent: 3 * time.Second})
	r.figure(Memory, figShim, unitBytes, c).add(5e6)
	r.figure(Together, figTogether, unitTime, s).addTimes(order.Answer{Failed: 2, Why: "refused"})
	r.figure(Wake, figWake, unitTime, c) // nothing came
	r.sum()
	return r
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	f := measured().find(Requests, "kept", "c")
	if f.Over == nil || f.Over.Median != 2 || f.Over.Min != 2 || f.Over.Max != 2 {
		t.Errorf("%+v", f.Over)
	}
	if f.N != 150 || f.P50 != 4000 || f.P99 != 6000 || f.P999 != 0 || f.Max != 6000 {
		t.Errorf("%+v", f)
	}
}

func TestARoundWithoutAValueIsInNoRatioAndMovesNoOther(t *testing.T) {
	c, s := subject{name: "c", title: "C"}, subject{name: server, title: "Go server"}
	answered := func(n int, spent time.Duration) order.Answer { return order.Answer{N: n, Spent: spent} }
	for _, x := range []struct {
		name string
		add  func(r *Results)
		want *figures.Spread
	}{
		{"a time is missing", func(r *Results) {
			for i, v := range []float64{20, 0, 80} {
				r.figure(Starts, figReady, unitTime, c).addSome(v)
				r.figure(Starts, figReady, unitTime, s).addSome([]float64{10, 20, 40}[i])
			}
		}, &figures.Spread{Median: 2, Min: 2, Max: 2}},
		{"the server's is missing", func(r *Results) {
			for i, v := range []float64{20, 40, 80} {
				r.figure(Starts, figReady, unitTime, c).addSome(v)
				r.figure(Starts, figReady, unitTime, s).addSome([]float64{0, 20, 40}[i])
			}
		}, &figures.Spread{Median: 2, Min: 2, Max: 2}},
		{"a turn of nothing but failures", func(r *Results) {
			for i := range 2 {
				r.figure(Starts, figReady, unitTime, c).addTimes(order.Answer{Failed: 1 - i, Times: make(figures.Times, i)})
				r.figure(Starts, figReady, unitTime, s).add(1)
			}
			r.find(Starts, figReady, "c").add(3)
			r.find(Starts, figReady, server).add(1)
		}, &figures.Spread{Median: 3, Min: 3, Max: 3}},
		{"a rate of no time", func(r *Results) {
			for _, spent := range []time.Duration{0, time.Second} {
				r.figure(Starts, figReady, unitRate, c).addRate(answered(8, spent))
			}
			r.figure(Starts, figReady, unitRate, s).add(1)
			r.figure(Starts, figReady, unitRate, s).add(4)
		}, &figures.Spread{Median: 2, Min: 2, Max: 2}},
		{"no round has both", func(r *Results) {
			for i := range 2 {
				r.figure(Starts, figReady, unitTime, c).addSome(float64(i))
				r.figure(Starts, figReady, unitTime, s).addSome(float64(1 - i))
			}
		}, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := &Results{}
			x.add(r)
			r.sum()
			if got := r.find(Starts, figReady, "c").Over; !reflect.DeepEqual(got, x.want) {
				t.Errorf("%+v, want %+v", got, x.want)
			}
		})
	}
}

func TestFailuresAreCountedAndNothingIsNoFigure(t *testing.T) {
	r := measured()
	if f := r.find(Together, figTogether, server); f == nil || f.Bad != 2 || f.Why != "refused" || f.N != 0 {
		t.Errorf("%+v", f)
	}
	if f := r.find(Wake, figWake, "c"); f != nil {
		t.Errorf("%+v", f)
	}
}

func TestAMachineThatHadOtherWorkIsCalledSo(t *testing.T) {
	for load, want := range map[string]bool{"": false, "unknown": false, "0.10, 3.00, 4.00": false, "2.50, 0.10, 0.10": true} {
		r := &Results{}
		r.Origin.Load, r.Origin.CPUs = load, 2
		if got := r.busy(); got != want {
			t.Errorf("%q: %v", load, got)
		}
	}
}

func TestARateIsOfAnswersInASecond(t *testing.T) {
	if f := measured().find(Requests, "rate-64", "c"); f.P50 != 100 {
		t.Errorf("%+v", f)
	}
}

func TestTableAndPageHaveEveryFigure(t *testing.T) {
	r := measured()
	var table, page bytes.Buffer
	if err := r.Print(&table); err != nil {
		t.Fatal(err)
	}
	if err := r.Page().Write(&page); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{table.String(), page.String()} {
		for _, part := range []string{"4.00 ms", "6.00 ms", "5.00 MB", "100/s", "2.00 (2.00–2.00)", "Go server", "something", "so it was", "2 failed, the first with: refused"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q is not in\n%s", part, text)
			}
		}
	}
}

func TestEveryFigureThatIsMeasuredHasATopicAndAChart(t *testing.T) {
	for _, topic := range topics {
		found := false
		for _, g := range groups[topic.part] {
			found = found || g.has(topic.name)
		}
		if !found {
			t.Errorf("%s is in no chart", topic.name)
		}
	}
	names := []string{figReady, figScheduled, figSandbox, figRest, figFirst, figWake, figSidecar, figLoaded, figShim, figPod, figKubeletSidecar, figKubeletPod, figTogether}
	for _, m := range modes {
		names = append(names, m.figure)
	}
	for _, o := range operations {
		names = append(names, o.figure)
	}
	for _, name := range names {
		found := false
		for _, topic := range topics {
			found = found || topic.name == name
		}
		if !found {
			t.Errorf("%s is no topic", name)
		}
	}
}
