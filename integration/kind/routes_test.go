//go:build linux

package kind

import (
	"strings"
	"testing"
)

func TestPodsAreReachedByANodesAddressOfTheirFamily(t *testing.T) {
	places, err := readPlaces([]byte(`{"items": [{"metadata": {"name": "worker"}, "spec": {"podCIDRs": ["10.244.1.0/24", "fd00:10:244:1::/64"]}, "status": {"addresses": [
		{"type": "InternalIP", "address": "172.18.0.2"}, {"type": "InternalIP", "address": "fc00::2"}, {"type": "Hostname", "address": "worker"}]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var ways []string
	for _, pods := range places[0].pods {
		via, err := places[0].via(pods)
		if err != nil {
			t.Fatal(err)
		}
		ways = append(ways, pods.String()+" "+via.String())
	}
	if got := strings.Join(ways, ", "); got != "10.244.1.0/24 172.18.0.2, fd00:10:244:1::/64 fc00::2" {
		t.Error(got)
	}
}

func TestANodeThatIsNotReadyHasNoPlace(t *testing.T) {
	for name, text := range map[string]string{
		"no addresses for pods":   `{"items": [{"status": {"addresses": [{"type": "InternalIP", "address": "172.18.0.2"}]}}]}`,
		"no address":              `{"items": [{"spec": {"podCIDRs": ["10.244.1.0/24"]}}]}`,
		"an address that is none": `{"items": [{"spec": {"podCIDRs": ["10.244.1.0/24"]}, "status": {"addresses": [{"type": "InternalIP", "address": "here"}]}}]}`,
		"a range that is none":    `{"items": [{"spec": {"podCIDRs": ["10.244.1.0"]}}]}`,
		"what is no list":         `{"items": "none"}`,
	} {
		if places, err := readPlaces([]byte(text)); err == nil {
			t.Errorf("%s: got %v", name, places)
		}
	}
	places, err := readPlaces([]byte(`{"items": [{"spec": {"podCIDRs": ["fd00::/64"]}, "status": {"addresses": [{"type": "InternalIP", "address": "172.18.0.2"}]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if via, err := places[0].via(places[0].pods[0]); err == nil {
		t.Errorf("a way to pods of another family: %v", via)
	}
}
