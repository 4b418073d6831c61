package clusterbench

import (
	"context"
	"fmt"
	"time"
)

// operations are what a kubelet asks of containerd while a pod starts, and what figures call them.
var operations = []struct {
	name, figure string
	each         bool // of its containers; else one of the pod
}{
	{"run_podsandbox", "kubelet-sandbox", false}, {"create_container", "kubelet-create", true}, {"start_container", "kubelet-start", true},
}

// clock is a kubelet's. Its metrics are sums over the whole node: what a pod took is known where nothing but that pod was started meanwhile.
type clock struct {
	read func(context.Context) (map[string]operation, error)

	starts, unread, mixed int
	why                   error // the first read that failed
}

// now is what the kubelet has spent so far, nil where it cannot be read.
func (c *clock) now(ctx context.Context) map[string]operation {
	all, err := c.read(ctx)
	if err != nil {
		if c.why == nil {
			c.why = err
		}
		return nil
	}
	return all
}

// took is how long each operation took for the one pod with so many containers that was started in between; nothing where that is not known.
func (c *clock) took(before, after map[string]operation, containers int) map[string]time.Duration {
	c.starts++
	if before == nil || after == nil {
		c.unread++
		return nil
	}
	all := map[string]time.Duration{}
	for _, o := range operations {
		want := 1
		if o.each {
			want = containers
		}
		if after[o.name].count-before[o.name].count != want {
			c.mixed++
			return nil
		}
		all[o.name] = time.Duration((after[o.name].seconds - before[o.name].seconds) * float64(time.Second))
	}
	return all
}

// leftOut are the starts that it does not tell of, in words.
func (c *clock) leftOut() (all []string) {
	if c.unread > 0 {
		all = append(all, fmt.Sprintf("what kubelet's metrics tell of %d of %d starts: %v", c.unread, c.starts, c.why))
	}
	if c.mixed > 0 {
		all = append(all, fmt.Sprintf("what kubelet's metrics tell of %d of %d starts: they are the whole node's, and other containers were started on it meanwhile, or the kubelet itself", c.mixed, c.starts))
	}
	return all
}
