//go:build linux

package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// sandbox is a node of integration/lab with a dockerd of its own.
type sandbox struct {
	node   *lab.Node
	docker Docker
	left   []string // directories that dockerd made on the machine
}

// modules is where kind shows the machine's kernel modules to its nodes.
// dockerd makes the directory when there is none.
const modules = "/lib/modules"

// startSandbox starts it. The caller ends it with down; if the caller dies, so
// does it.
func startSandbox(ctx context.Context, cache *lab.Cache) (s *sandbox, err error) {
	programs, err := cache.Docker()
	if err != nil {
		return nil, err
	}
	runc, err := cache.Runc()
	if err != nil {
		return nil, err
	}
	s = &sandbox{}
	if _, err := os.Stat(modules); errors.Is(err, os.ErrNotExist) {
		s.left = append(s.left, modules)
	}
	if s.node, err = lab.Up(cache); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start docker: %w", err), s.down())
		}
	}()
	// A socket in the node's directory is seen from the machine, too.
	s.docker = Docker{Program: filepath.Join(programs, "docker"), Host: "unix://" + s.node.Path("docker.sock")}
	config, err := s.config(runc)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(s.node.Path("log/dockerd.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(programs, "dockerd"), "--config-file", config)
	cmd.Env = append(os.Environ(), "PATH="+programs+":"+runc+":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin")
	cmd.Stdout, cmd.Stderr = log, log
	if _, err := s.node.StartDaemon(cmd); err != nil {
		return nil, err
	}
	return s, s.ready(ctx)
}

// config writes dockerd's configuration.
func (s *sandbox) config(runc string) (string, error) {
	config := map[string]any{
		"hosts":          []string{s.docker.Host},
		"data-root":      s.node.Path("data/docker"),
		"exec-root":      "/run/docker",
		"pidfile":        "/run/docker.pid",
		"storage-driver": "overlay2",
	}
	few, err := bounded()
	if err != nil {
		return "", err
	}
	if few {
		runtime, err := s.runtime(runc)
		if err != nil {
			return "", err
		}
		config["runtimes"] = map[string]any{"bounds": map[string]string{"path": runtime}}
		config["default-runtime"] = "bounds"
	}
	text, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	file := s.node.Path("docker.json")
	return file, os.WriteFile(file, text, 0o644)
}

// runtime puts this program beside runc, under the name by which Main knows
// what it is to do.
func (s *sandbox) runtime(runc string) (string, error) {
	dir := s.node.Path("bin")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.Symlink(filepath.Join(runc, "runc"), filepath.Join(dir, "runc")); err != nil {
		return "", err
	}
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, runtimeName)
	return file, os.WriteFile(file, program, 0o755)
}

// ready waits for an answer from dockerd.
func (s *sandbox) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := s.docker.run(ctx, nil, "version")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; its log is %s", err, s.node.Path("log/dockerd.log"))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// down ends everything in the sandbox.
func (s *sandbox) down() error {
	err := s.node.Down()
	for _, dir := range s.left {
		_ = os.Remove(dir) // an error means it is not there, or is in use by now
	}
	return err
}
