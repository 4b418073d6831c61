//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/load"
	"github.com/mayfly-run/mayfly/internal/figures"
)

// ending is the function that ends the instances of a component, and gives what they had to the next.
const ending = "runtime/instance.(*GroupInstance).Close"

// endSlices is how often it is measured; of how far those are from each other one sees what they are worth.
const endSlices = 10

// endsOf measures what the end of an instance costs. It comes after the answer, so that no client can see it; what is read is where this
// process, which is the engine, has spent its time.
func endsOf(ctx context.Context, much effort, addr string) (figure, error) {
	client := (&load.Target{Addr: addr, Path: "/", Patience: 30 * time.Second, Check: lab.TellsTheTime}).Client
	var each []float64
	requests := 0
	var spent time.Duration
	for range endSlices {
		var text bytes.Buffer
		if err := pprof.StartCPUProfile(&text); err != nil {
			return figure{}, err
		}
		got := load.Run(ctx, 1, much.asked/2, client)
		pprof.StopCPUProfile()
		if got.Failed > 0 || len(got.Times) == 0 {
			return figure{}, fmt.Errorf("%d of %d answers were wrong: %w", got.Failed, got.Failed+len(got.Times), errors.Join(got.Why, ctx.Err()))
		}
		p, err := profile.Parse(&text)
		if err != nil {
			return figure{}, fmt.Errorf("read the processor's profile: %w", err)
		}
		took := timeIn(p, ending)
		spent += took
		requests += len(got.Times)
		each = append(each, figures.Microseconds(took)/float64(len(got.Times)))
	}
	return figure{
		Unit: unitTime, P50: figures.Microseconds(spent) / float64(requests), P99: slices.Max(each), N: requests, Command: command,
		How: "in the engine, after the answer: an instance ends, and its memory becomes as it was; processor time by sampling, on average and in the slowest of 10 parts of the run",
	}, nil
}

// timeIn is the processor time that a profile has in a function and what it calls.
func timeIn(p *profile.Profile, function string) time.Duration {
	value := len(p.SampleType) - 1 // samples, then nanoseconds
	var sum int64
	for _, s := range p.Sample {
		if slices.ContainsFunc(s.Location, func(l *profile.Location) bool { return within(l, function) }) {
			sum += s.Value[value]
		}
	}
	return time.Duration(sum)
}

// within tells whether a place in the code is in a function, also where that was inlined.
func within(l *profile.Location, function string) bool {
	return slices.ContainsFunc(l.Line, func(n profile.Line) bool {
		return n.Function != nil && strings.HasSuffix(n.Function.Name, function)
	})
}
