//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sys/unix"
)

// jobVar holds, when this program was started again in a node, what it is to
// do there.
const jobVar = "MAYFLY_CONFORMANCE_JOB"

// job is one run of the suite in a node.
type job struct {
	Busybox string   // archive of the image all others stand on
	Program string   // the suite
	Args    []string // its arguments
	Dir     string   // with the files it reads
	Runtime string
	Path    string // where programs are searched
}

// Places in the node, whose /run is its own.
const (
	temporary   = "/run/tmp" // short, for sockets below it
	trustFile   = "/run/registry.pem"
	hostsFile   = "/run/hosts"
	systemHosts = "/etc/hosts"
)

// inNode does the job and returns the code to exit with.
func inNode(text string) int {
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		err = j.do(context.Background())
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "conformance:", err)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 1
}

// do serves the images and runs the suite, which finds them by name.
func (j *job) do(ctx context.Context) error {
	if err := os.Mkdir(temporary, 0o777|os.ModeSticky); err != nil {
		return err
	}
	names := "127.0.0.1 localhost " + strings.Join(hosts, " ") + "\n"
	if err := os.WriteFile(hostsFile, []byte(names), 0o644); err != nil {
		return err
	}
	if err := unix.Mount(hostsFile, systemHosts, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount over %s: %w", systemHosts, err)
	}
	busybox, err := tarball.ImageFromPath(j.Busybox, nil)
	if err != nil {
		return err
	}
	s := newShelf()
	for _, i := range images {
		index, err := i.build(busybox)
		if err != nil {
			return err
		}
		if err := s.put(ctx, i.name, index); err != nil {
			return err
		}
	}
	closeRegistry, err := s.serve(trustFile)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, j.Program, j.Args...)
	cmd.Dir = j.Dir
	cmd.Env = []string{"PATH=" + j.Path, "HOME=/root", "TMPDIR=" + temporary, "SSL_CERT_FILE=" + trustFile, "TEST_RUNTIME=" + j.Runtime}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return errors.Join(cmd.Run(), closeRegistry())
}
