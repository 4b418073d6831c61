//go:build linux

package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
)

// event is a line of test2json's.
type event struct {
	Action string
	Test   string
	Output string
}

// decode starts test2json: what is written to w, by whoever has it, comes out
// as events, until the last writer has closed it.
func decode(log io.Writer) (events <-chan event, w *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command("go", "tool", "test2json")
	cmd.Stdin, cmd.Stderr = r, log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	r.Close()
	if err != nil {
		w.Close()
		return nil, nil, err
	}
	c := make(chan event)
	go func() { // ends with the output; the receiver reads until then
		defer close(c)
		d := json.NewDecoder(out)
		for {
			var e event
			if d.Decode(&e) != nil {
				break // the end: what is missing then is missing from the results
			}
			c <- e
		}
		_ = cmd.Wait() // it says on the log what it had to say
	}()
	return c, w, nil
}

// drain waits for the end of events nobody is interested in.
func drain(events <-chan event) {
	for range events {
	}
}
