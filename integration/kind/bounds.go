//go:build linux

package kind

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/containerd/v2/pkg/cap"
	"golang.org/x/sys/unix"
)

// runtimeName is what this program is called where dockerd runs it in place of
// runc, which stands beside it. kind's nodes are privileged, so runc is asked
// for every capability there is; where root itself lacks one, nothing starts.
const runtimeName = "runc-within-bounds"

// Main does the work of a container runtime, and does not return, when this
// program was started as one; else it returns at once. Call it first.
func Main() {
	if filepath.Base(os.Args[0]) != runtimeName {
		return
	}
	fmt.Fprintln(os.Stderr, "start runc:", runWithinBounds(os.Args[1:]))
	os.Exit(1)
}

// runWithinBounds takes from what runc is given the capabilities that this
// process could not have, and becomes runc.
func runWithinBounds(args []string) error {
	bounds, err := bounding()
	if err != nil {
		return err
	}
	have, _ := cap.FromBitmap(bounds)
	for i, arg := range args[:max(0, len(args)-1)] {
		switch arg {
		case "--bundle":
			err = rewrite(filepath.Join(args[i+1], "config.json"), func(text []byte) ([]byte, error) { return restrict(text, have, "process", "capabilities") })
		case "--process":
			err = rewrite(args[i+1], func(text []byte) ([]byte, error) { return restrict(text, have, "capabilities") })
		}
		if err != nil {
			return err
		}
	}
	runc := filepath.Join(filepath.Dir(os.Args[0]), "runc")
	return unix.Exec(runc, append([]string{runc}, args...), os.Environ())
}

// restrict leaves in every list of capabilities, which are found in a JSON
// object by following keys, those of have only. All else stays as it is.
func restrict(text []byte, have []string, keys ...string) ([]byte, error) {
	if len(keys) == 0 {
		var sets map[string][]string
		if err := json.Unmarshal(text, &sets); err != nil {
			return nil, fmt.Errorf("read capabilities: %w", err)
		}
		for name, set := range sets {
			sets[name] = slices.DeleteFunc(set, func(c string) bool { return !slices.Contains(have, c) })
		}
		return json.Marshal(sets)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, fmt.Errorf("read %s: %w", keys[0], err)
	}
	in, ok := object[keys[0]]
	if !ok || string(in) == "null" {
		return text, nil
	}
	in, err := restrict(in, have, keys[1:]...)
	if err != nil {
		return nil, err
	}
	object[keys[0]] = in
	return json.Marshal(object)
}

func rewrite(file string, change func([]byte) ([]byte, error)) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if text, err = change(text); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, text, 0o600)
}

// bounding is the set of capabilities that this process and its children could
// have.
func bounding() (uint64, error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	sets, err := cap.ParseProcPIDStatus(f)
	return sets[cap.Bounding], err
}

// bounded tells whether the kernel has capabilities that are out of bounds.
func bounded() (bool, error) {
	text, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		return false, err
	}
	last, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return false, fmt.Errorf("read /proc/sys/kernel/cap_last_cap: %w", err)
	}
	bounds, err := bounding()
	return bounds != 1<<(last+1)-1, err
}
