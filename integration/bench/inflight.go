//go:build linux

package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/mayfly-run/mayfly/integration/bare"
	"github.com/mayfly-run/mayfly/integration/inflight"
	"github.com/mayfly-run/mayfly/internal/figures"
)

// crowd is how many requests are in flight at once, and crowdSleep how long each lasts: longer than it takes to begin them all.
const (
	crowd      = 10_000
	crowdSleep = 30 * time.Second
)

// crowds measures an engine in which very many requests are under way. A guest with which that fails is left out.
func crowds(leaveOut func(format string, args ...any)) (all []figure, err error) {
	binary, err := filepath.Abs("bin/mayfly-engine")
	if err != nil {
		return nil, err
	}
	var memory []figure
	for _, name := range inflight.Guests {
		g, err := inflight.Find(name)
		if err != nil {
			return nil, err
		}
		o := bare.Options{Binary: binary, Env: []string{fmt.Sprintf("MAYFLY_MAX_INSTANCES=%d", crowd+inflight.Probes)}}
		r, err := inflight.Measure(o, g, crowd, crowdSleep)
		if err != nil {
			leaveOut("%d requests at once of %s: %v", crowd, name, err)
			continue
		}
		how := fmt.Sprintf("short requests while %d others wait in an instance each, %d of them alive at once, %d lost; alone, half take %s", r.N, r.AtOnce, r.Lost, figures.Short(r.Before.Quantile(0.5)))
		all = append(all, inMicroseconds("inflight-10000/"+name, r.During, how))
		memory = append(memory, inBytes("inflight-10000-memory/"+name, figures.Sample[int64]{r.Memory.Private}, "engine: private memory, with all of them"))
	}
	return append(all, memory...), nil
}
