package clusterbench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// operation is what a kubelet has spent on something since it was started.
type operation struct {
	seconds float64
	count   int
}

// operations are a kubelet's, by their name.
func (a *api) operations(ctx context.Context, node string) (map[string]operation, error) {
	text, err := a.kubelet(ctx, node, "metrics")
	if err != nil {
		return nil, err
	}
	all := parseOperations(bytes.NewReader(text))
	if len(all) == 0 {
		return nil, fmt.Errorf("the kubelet on %s does not tell of its operations", node)
	}
	return all, nil
}

func (a *api) kubelet(ctx context.Context, node string, path ...string) ([]byte, error) {
	stream, err := a.core.Get().Resource("nodes").Name(node).SubResource("proxy").Suffix(path...).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s of the kubelet on %s: %w", strings.Join(path, "/"), node, err)
	}
	defer stream.Close()
	return io.ReadAll(io.LimitReader(stream, maxAnswer))
}

// parseOperations reads the lines of metrics that are about what containerd was asked for.
func parseOperations(r io.Reader) map[string]operation {
	const prefix = "kubelet_runtime_operations_duration_seconds_"
	all := map[string]operation{}
	for s := bufio.NewScanner(r); s.Scan(); {
		line, ok := strings.CutPrefix(s.Text(), prefix)
		if !ok {
			continue
		}
		kind, line, _ := strings.Cut(line, `{operation_type="`)
		name, value, _ := strings.Cut(line, `"} `)
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue
		}
		o := all[name]
		switch kind {
		case "sum":
			o.seconds = v
		case "count":
			o.count = int(v)
		default: // of the histogram
			continue
		}
		all[name] = o
	}
	return all
}

// workingSet is what kubelet counts as a container's or a pod's memory, in bytes.
type workingSet struct {
	WorkingSetBytes int64 `json:"workingSetBytes"`
}

// summary is a part of kubelet's summary API.
type summary struct {
	Pods []struct {
		PodRef struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"podRef"`
		Memory     workingSet `json:"memory"`
		Containers []struct {
			Name   string     `json:"name"`
			Memory workingSet `json:"memory"`
		} `json:"containers"`
	} `json:"pods"`
}

func (a *api) summary(ctx context.Context, node string) (*summary, error) {
	text, err := a.kubelet(ctx, node, "stats", "summary")
	if err != nil {
		return nil, err
	}
	s := &summary{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("read the summary of the kubelet on %s: %w", node, err)
	}
	return s, nil
}

// memory is what a pod and one of its containers have; 0 where kubelet does not tell.
func (s *summary) memory(namespace, pod, container string) (whole, part int64) {
	for _, p := range s.Pods {
		if p.PodRef.Namespace != namespace || p.PodRef.Name != pod {
			continue
		}
		whole = p.Memory.WorkingSetBytes
		for _, c := range p.Containers {
			if c.Name == container {
				part = c.Memory.WorkingSetBytes
			}
		}
	}
	return whole, part
}
