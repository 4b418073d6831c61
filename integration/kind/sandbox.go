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
	node    *lab.Node
	docker  Docker
	dockerd *lab.Daemon
	left    []string // directories that dockerd made on the machine
}

// modules is where kind shows the machine's kernel modules to its nodes.
// dockerd makes the directory when there is none.
const modules = "/lib/modules"

// startSandbox starts it, with the images that save has put into a directory,
// if one is given. The caller ends it with down; if the caller dies, so does it.
func startSandbox(ctx context.Context, cache *lab.Cache, images string) (s *sandbox, err error) {
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
	if images != "" {
		if err := s.seed(ctx, images); err != nil {
			return nil, err
		}
	}
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
	if s.dockerd, err = s.node.StartDaemon(cmd); err != nil {
		return nil, err
	}
	return s, s.ready(ctx)
}

// kept is what dockerd keeps of images, in its directory: files it never
// changes, and few that it replaces.
var kept = []string{"image", "overlay2"}

// save copies what dockerd, which must have ended, has kept of images to a
// directory of the machine's.
func (s *sandbox) save(ctx context.Context, to string) error {
	return s.copy(ctx, s.data(), to)
}

// seed copies it back, for a dockerd that is to be started.
func (s *sandbox) seed(ctx context.Context, from string) error {
	return s.copy(ctx, from, s.data())
}

// copy makes the copies links where it can: a node image is near a gigabyte.
func (s *sandbox) copy(ctx context.Context, from, to string) error {
	if _, err := s.inside(ctx, "mkdir", "-p", to); err != nil {
		return err
	}
	for _, k := range kept {
		args := []string{filepath.Join(from, k), to}
		if _, err := s.inside(ctx, "cp", append([]string{"-al"}, args...)...); err == nil {
			continue
		}
		if _, err := s.inside(ctx, "rm", "-rf", filepath.Join(to, k)); err != nil {
			return err
		}
		if _, err := s.inside(ctx, "cp", append([]string{"-a"}, args...)...); err != nil {
			return err
		}
	}
	return nil
}

// inside runs a command that sees what is mounted in the node.
func (s *sandbox) inside(ctx context.Context, name string, args ...string) (string, error) {
	return output(exec.CommandContext(ctx, name, args...), s.node.Run)
}

// data is dockerd's directory.
func (s *sandbox) data() string { return s.node.Path("data/docker") }

// config writes dockerd's configuration.
func (s *sandbox) config(runc string) (string, error) {
	config := map[string]any{
		"hosts":          []string{s.docker.Host},
		"data-root":      s.data(),
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
