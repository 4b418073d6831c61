//go:build linux

package records

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Labels returns the labels of a container in containerd's records, a sandbox's being those of its pod. The namespace is ctx's.
func Labels(ctx context.Context, containerd, id string) (map[string]string, error) {
	const idField = 1
	request := protowire.AppendTag(nil, idField, protowire.BytesType)
	request = protowire.AppendString(request, id)
	answer, err := call(ctx, containerd, "/containerd.services.containers.v1.Containers/Get", request)
	if err != nil {
		return nil, fmt.Errorf("ask containerd at %s about container %s: %w", containerd, id, err)
	}
	labels, err := parseLabels(answer)
	if err != nil {
		return nil, fmt.Errorf("ask containerd at %s about container %s: %w", containerd, id, err)
	}
	return labels, nil
}

// parseLabels reads the labels in a GetContainerResponse.
func parseLabels(answer []byte) (map[string]string, error) {
	const (
		containerField = 1
		labelsField    = 2
	)
	labels := map[string]string{}
	err := eachBytes(answer, func(field protowire.Number, container []byte) error {
		if field != containerField {
			return nil
		}
		return eachBytes(container, func(field protowire.Number, entry []byte) error {
			if field != labelsField {
				return nil
			}
			return parseEntry(entry, labels)
		})
	})
	return labels, err
}

// parseEntry adds an entry of a map from strings to strings.
func parseEntry(entry []byte, m map[string]string) error {
	const (
		keyField   = 1
		valueField = 2
	)
	var key, value string
	err := eachBytes(entry, func(field protowire.Number, text []byte) error {
		switch field {
		case keyField:
			key = string(text)
		case valueField:
			value = string(text)
		}
		return nil
	})
	if err == nil {
		m[key] = value
	}
	return err
}
