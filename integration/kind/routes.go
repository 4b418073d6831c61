//go:build linux

package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"
)

// place is where a node is, and where its pods are.
type place struct {
	node      string
	addresses []netip.Addr
	pods      []netip.Prefix
}

// via is the node's address by which its pods of a range are reached: one of
// the same family.
func (p place) via(pods netip.Prefix) (netip.Addr, error) {
	for _, a := range p.addresses {
		if a.Is4() == pods.Addr().Is4() {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("node %s has no address of the family of its pods, %v", p.node, pods)
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
				via, err := to.via(pods)
				if err != nil {
					return err
				}
				if _, err := c.Docker.in(ctx, from.node, "ip", "route", "replace", pods.String(), "via", via.String()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// places waits until every node is known to Kubernetes, a moment after it has
// joined, and has a range of addresses for its pods.
func (c *Cluster) places(ctx context.Context) ([]place, error) {
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		places, err := c.placesNow(ctx)
		if err == nil && len(places) == len(nodes) {
			return places, nil
		}
		if err == nil {
			err = fmt.Errorf("%d of %d nodes are known to Kubernetes", len(places), len(nodes))
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
	return readPlaces([]byte(text))
}

// readPlaces reads a list of nodes as Kubernetes has it.
func readPlaces(text []byte) ([]place, error) {
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct{ PodCIDRs []netip.Prefix }
			Status   struct {
				Addresses []struct{ Type, Address string }
			}
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read the list of nodes: %w", err)
	}
	var places []place
	for _, n := range list.Items {
		p := place{node: n.Metadata.Name, pods: n.Spec.PodCIDRs}
		for _, a := range n.Status.Addresses {
			if a.Type != "InternalIP" {
				continue
			}
			address, err := netip.ParseAddr(a.Address)
			if err != nil {
				return nil, fmt.Errorf("read the address of node %s: %w", p.node, err)
			}
			p.addresses = append(p.addresses, address)
		}
		if len(p.addresses) == 0 || len(p.pods) == 0 {
			return nil, fmt.Errorf("node %s has no address, or none for its pods", p.node)
		}
		places = append(places, p)
	}
	return places, nil
}
