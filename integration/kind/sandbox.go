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
}

// written are directories in which dockerd, containerd and kind have things
// made: a key, a place for plugins, one for the modules of a kernel that has
// none. The sandbox writes to a layer of its own.
var written = []string{"/etc", "/opt", "/lib"}

// startSandbox starts it, with the images that save has put into a directory,
// if one is given. The caller ends it with down; if the caller dies, so does it.
func startSandbox(ctx context.Context, cache *lab.Cache, images string) (*sandbox, error) {
	programs, err := cache.Docker()
	if err != nil {
		return nil, err
	}
	runc, err := cache.Runc()
	if err != nil {
		return nil, err
	}
	n, err := lab.Up(cache)
	if err != nil {
		return nil, err
	}
	s := &sandbox{node: n}
	// A socket in the node's directory is seen from the machine, too.
	s.docker = Docker{Program: filepath.Join(programs, "docker"), Host: "unix://" + n.Path("docker.sock")}
	err = s.layers(ctx)
	if err == nil && images != "" {
		err = s.seed(ctx, images)
	}
	if err == nil {
		err = s.start(ctx, programs, runc)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start docker: %w", err), s.down())
	}
	return s, nil
}

// start starts dockerd and waits until it answers.
func (s *sandbox) start(ctx context.Context, programs, runc string) error {
	config, err := s.config(runc)
	if err != nil {
		return err
	}
	log, err := os.Create(s.log())
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(programs, "dockerd"), "--config-file", config)
	cmd.Env = append(os.Environ(), "PATH="+programs+":"+runc+":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin")
	cmd.Stdout, cmd.Stderr = log, log
	if s.dockerd, err = s.node.StartDaemon(cmd); err != nil {
		return err
	}
	return s.ready(ctx)
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

// data is dockerd's directory, and log the file it writes to.
func (s *sandbox) data() string { return s.node.Path("data/docker") }
func (s *sandbox) log() string  { return s.node.Path("log/dockerd.log") }

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
			const enough = 2000
			log, _ := os.ReadFile(s.log()) // what there is of it
			return fmt.Errorf("%w; its log ends:\n%s", err, log[max(0, len(log)-enough):])
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// layers puts a layer over each of the directories that are written to.
func (s *sandbox) layers(ctx context.Context) error {
	for _, dir := range written {
		upper, work := s.node.Path("data/layers"+dir), s.node.Path("data/work"+dir)
		if _, err := s.inside(ctx, "mkdir", "-p", upper, work); err != nil {
			return err
		}
		if _, err := s.inside(ctx, "mount", "-t", "overlay", "overlay", "-o", "lowerdir="+dir+",upperdir="+upper+",workdir="+work, dir); err != nil {
			return err
		}
	}
	return nil
}

// down ends everything in the sandbox.
func (s *sandbox) down() error { return s.node.Down() }
