//go:build linux

package finish

import (
	"sync"
	"time"
)

// pursue makes sure that a goroutine is at it where there may be something to end. The mutex is held.
func (p *Pod) pursue() {
	if v, _ := p.verdict(); v == leave || p.pursuing || p.ctx.Err() != nil {
		return
	}
	p.pursuing = true
	p.work.Go(p.untilLeft)
}

// untilLeft goes on until there is nothing to end, or not yet.
func (p *Pod) untilLeft() {
	retry := firstRetry
	for {
		p.mu.Lock()
		v, lasting := p.verdict()
		if v == leave || p.ctx.Err() != nil {
			p.pursuing = false
			p.mu.Unlock()
			return
		}
		wait, news := time.Until(p.last.Add(lasting)), p.news
		var ids []string
		if wait <= 0 && v != unsure {
			ids = p.tell()
		}
		p.mu.Unlock()
		switch {
		case wait > 0:
			p.sleep(wait, news)
		case v == unsure:
			if !p.learn() {
				p.sleep(retry, nil)
				retry = min(2*retry, maxRetry)
			}
		default:
			p.end(ids, v == failed)
		}
	}
}

// sleep waits for d, news or the end.
func (p *Pod) sleep(d time.Duration, news <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-news:
	case <-p.ctx.Done():
	}
}

// learn asks for the facts and reports whether they are known now.
func (p *Pod) learn() bool {
	facts, err := p.outside.Ask(p.ctx)
	if err != nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.facts = &facts
	return true
}

// tell returns the sidecars to end, each once.
func (p *Pod) tell() []string {
	var ids []string
	for _, c := range p.containers {
		if c.kind == Server && !c.ended && !c.told {
			c.told = true
			ids = append(ids, c.id)
		}
	}
	return ids
}

// end ends sidecars, all at the same time.
func (p *Pod) end(ids []string, failed bool) {
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() { p.outside.End(p.ctx, id, failed) })
	}
	all.Wait()
}
