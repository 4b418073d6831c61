//go:build linux

package bundle

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/internal/control"
)

// toolName is what a process that is to be one of mayfly's tools is called.
const toolName = "mayfly"

// Tool rewrites the process that is to run in a sidecar's container when it is one of mayfly's tools, which no image has; any other it
// returns as it is. process is an OCI process in JSON: as with a bundle, what this package does not know stays as it was.
//
// An image that does have a program of that name runs it by its path.
func Tool(process []byte) ([]byte, error) {
	if len(process) > maxConfig {
		return nil, errors.New("read the process to run: it is too large")
	}
	var known struct {
		Args []string `json:"args"`
	}
	if err := json.Unmarshal(process, &known); err != nil {
		return nil, fmt.Errorf("read the process to run: %w", err)
	}
	args := toolArgs(known.Args)
	if args == nil {
		return process, nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(process, &all); err != nil {
		return nil, fmt.Errorf("read the process to run: %w", err)
	}
	if err := set(all, "args", args); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// toolArgs returns what runs a tool, nil if args are none. A probe, which may run each second, is the holder's program: that takes a
// quarter of the engine's memory, and half of its time.
func toolArgs(args []string) []string {
	switch {
	case len(args) == 0 || args[0] != toolName:
		return nil
	case len(args) == 2 && args[1] == "probe":
		return []string{control.HolderPath, "probe"}
	}
	return append([]string{control.EnginePath, "tool"}, args[1:]...)
}
