// Package order is what mayfly bench cluster and the program in the main containers of its pods say to each other: lines of JSON.
//
// An order is a list of turns, and for each turn comes an answer, in their order. It is no protocol for others: both sides are of one
// version, since the image of the one is made with the other.
package order

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mayfly-run/mayfly/internal/figures"
)

// The ports of the program in the main container.
const (
	Port       = 7070 // where orders come, on all addresses of the pod
	StaticPort = 7071 // where it answers by itself, on localhost; of a container that does only this
)

// Engine is how the processes are called whose end is the begin of deep idle.
const Engine = "mayfly-engine"

// Order says what to do. It is for one pod, or for the first of its turns in many at the same moment.
type Order struct {
	Turns []Turn `json:"turns"`
	// Pods are the addresses, host:port, of programs like this one that do the turn all at once.
	Pods []string `json:"pods,omitempty"`
	// Hold waits for a second line before the turns, when all is prepared for them.
	Hold bool `json:"hold,omitempty"`
}

// Turn is somebody to be asked for some time.
type Turn struct {
	Name    string        `json:"name"`
	Port    int           `json:"port"`    // on the pod's localhost
	Want    string        `json:"want"`    // a part of every right answer
	Clients int           `json:"clients"` // at once
	For     time.Duration `json:"for"`     // 0: each asks once
	Anew    bool          `json:"anew"`    // a new connection for each request, and connecting is part of its time
	Brief   bool          `json:"brief"`   // the answer has no times but their distribution
	// Idle waits until the pod has no engine any more, before the turn.
	Idle bool `json:"idle,omitempty"`
	// Reach waits until somebody listens on the port, before the turn. It connects, and leaves.
	Reach bool `json:"reach,omitempty"`
}

// Answer is what came out of a turn.
type Answer struct {
	Name         string             `json:"name"`
	Pod          string             `json:"pod,omitempty"`   // of several
	Times        figures.Times      `json:"times,omitempty"` // of the right answers, in nanoseconds
	Distribution []figures.Quantile `json:"distribution,omitempty"`
	N            int                `json:"n"`
	Spent        time.Duration      `json:"spent"`
	CPU          time.Duration      `json:"cpu"` // of the client
	Failed       int                `json:"failed"`
	Why          string             `json:"why,omitempty"`
	// Ready stands alone, in answer to an order that says Hold.
	Ready bool `json:"ready,omitempty"`
	// Told is how long it took to tell all pods to begin.
	Told time.Duration `json:"told,omitempty"`
}

// Process is one of the node's, as the privileged pod sees it.
type Process struct {
	PID     int    `json:"pid"`
	Parent  int    `json:"ppid"`
	Name    string `json:"name"`   // its first argument
	Cgroup  string `json:"cgroup"` // the path that names its pod and its container
	Private int64  `json:"private"`
	PSS     int64  `json:"pss"`
}

// Node is what the privileged pod tells of its node.
type Node struct {
	Processes []Process `json:"processes"`
	CPU       string    `json:"cpu"`
	Load      string    `json:"load"`
	Runc      string    `json:"runc"`
	Shim      string    `json:"shim"` // the version of mayfly's
}

// maxLine bounds what one side takes from the other.
const maxLine = 64 << 20

// ErrTooLong is the error for a line that is longer than any that is ever sent.
var ErrTooLong = errors.New("the line is longer than 64 MiB")

// Lines reads lines of JSON.
type Lines struct{ scanner *bufio.Scanner }

// NewLines reads them from r.
func NewLines(r io.Reader) *Lines {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	return &Lines{s}
}

// Next reads the next line into v. It returns io.EOF after the last, and ErrTooLong.
func (l *Lines) Next(v any) error {
	if !l.scanner.Scan() {
		err := l.scanner.Err()
		switch {
		case errors.Is(err, bufio.ErrTooLong):
			return ErrTooLong
		case err == nil:
			return io.EOF
		}
		return err
	}
	if err := json.Unmarshal(l.scanner.Bytes(), v); err != nil {
		return fmt.Errorf("read %.200q: %w", l.scanner.Bytes(), err)
	}
	return nil
}

// Write writes v as a line.
func Write(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}
