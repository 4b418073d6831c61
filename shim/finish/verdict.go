//go:build linux

package finish

import (
	"slices"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
)

// verdict is where a pod stands.
type verdict string

const (
	leave     verdict = "leave"     // there is nothing to end, or not yet
	unsure    verdict = "unsure"    // it depends on the facts
	succeeded verdict = "succeeded" // all main containers are done, with status 0
	failed    verdict = "failed"    // all are done, and not all with that
)

// verdict says where the pod stands, and how long that must last before it is acted on.
func (p *Pod) verdict() (verdict, time.Duration) {
	if !p.anyToEnd() {
		return leave, 0
	}
	mains, v := p.mains()
	if v != "" {
		return v, linger
	}
	return p.outcome(mains)
}

// anyToEnd reports whether there is a sidecar to end, and something that it could have been there for.
func (p *Pod) anyToEnd() bool {
	var server, done bool
	for _, c := range p.containers {
		server = server || c.kind == Server && !c.ended && !c.told
		done = done || c.isMain() && c.ended
	}
	return server && done || server && p.rule.Rule == config.ExitAfterNamed
}

// isMain reports whether sidecars may be there for the sake of this container.
func (c *container) isMain() bool { return c.kind == Linux || c.kind == Command }

// mains returns the containers to wait for, or a verdict without them. One that is yet to come is nil.
func (p *Pod) mains() ([]*container, verdict) {
	switch {
	case p.rule.Rule == config.ExitAfterNamed:
		return p.named(p.rule.Names), ""
	case p.facts == nil:
		return nil, unsure
	case p.rule.Rule == config.ExitInJobs && !p.facts.Job:
		return nil, leave
	case p.facts.Containers != nil:
		mains := p.named(p.facts.Containers)
		return slices.DeleteFunc(mains, func(c *container) bool { return c != nil && c.kind == Server }), ""
	}
	// Nobody tells what the pod will have. Init containers have ended by the time a plain sidecar is made; and so has a
	// main container that was very quick, which is the lesser evil.
	var mains []*container
	for _, c := range p.containers {
		if c.beside && c.kind != Server {
			mains = append(mains, c)
		}
	}
	return mains, ""
}

func (p *Pod) named(names []string) []*container {
	cs := make([]*container, 0, len(names))
	for _, n := range names {
		cs = append(cs, p.containers[n])
	}
	return cs
}

// outcome is how these containers came out.
func (p *Pod) outcome(mains []*container) (verdict, time.Duration) {
	v, wait := succeeded, linger
	some, returns := false, false
	for _, c := range mains {
		if c == nil || !c.ended {
			return leave, 0
		}
		if c.kind == Starting {
			continue // a sidecar that did not start is no work done, and no obstacle
		}
		some = true
		if c.code != 0 {
			v, wait = failed, failedLinger
		}
		returns = returns || c.code == 0 && c.returnsDone || c.code != 0 && c.returnsFailed
	}
	switch {
	case !some:
		return leave, 0
	case returns:
		return v, longLinger
	}
	return v, wait
}
