//go:build linux

package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// place is where a node is, and where its pods are.
type place struct {
	node, address string
	pods          []string
}

// routes leads each node to the pods of the others, as kind's own network
// plugin would, which is an image that is not made here.
func (c *Cluster) routes(ctx context.Context) error {
	places, err := c.places(ctx)
	if err != nil {
		return err
	}
	for _, from := range places {
		for _, to := range places {
			if from.node == to.node {
				continue
			}
			for _, pods := range to.pods {
				if _, err := c.Docker.in(ctx, from.node, "ip", "route", "replace", pods, "via", to.address); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// places waits until every node has a range of addresses for its pods.
func (c *Cluster) places(ctx context.Context) ([]place, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		places, err := c.placesNow(ctx)
		if err == nil {
			return places, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (c *Cluster) placesNow(ctx context.Context) ([]place, error) {
	text, err := c.kubectl(ctx, nil, "get", "nodes", "-o", "json")
	if err != nil {
		return nil, err
	}
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct{ PodCIDRs []string }
			Status   struct {
				Addresses []struct{ Type, Address string }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("read the list of nodes: %w", err)
	}
	var places []place
	for _, n := range list.Items {
		p := place{node: n.Metadata.Name, pods: n.Spec.PodCIDRs}
		for _, a := range n.Status.Addresses {
			if a.Type == "InternalIP" && p.address == "" {
				p.address = a.Address
			}
		}
		if p.address == "" || len(p.pods) == 0 {
			return nil, fmt.Errorf("node %s has no address, or none for its pods", p.node)
		}
		places = append(places, p)
	}
	return places, nil
}
