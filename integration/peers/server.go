package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mayfly-run/mayfly/internal/guests/toolchain"
)

const (
	// startTime is how long a server may take until it answers: some compile the component first.
	startTime = 4 * time.Minute
	stopTime  = 5 * time.Second
)

// Server is a program that serves components.
type Server struct {
	Name    string
	Version string
	// Command serves the component in file on a port of 127.0.0.1. dir is its to write to.
	Command func(file string, port int, dir string) []string
	Env     []string
	// Prepare makes what the command needs in dir; nil: nothing.
	Prepare func(port int, dir string) error
	// Cannot says why the server cannot be asked to serve a component, "" if it can; nil: it can serve all.
	Cannot func(component string) string
	// Launcher is the name of a program that only starts the one that serves: what it uses does not count.
	Launcher string
	// Clean removes what the program leaves on the machine when it is killed; nil: nothing.
	Clean func(dir string)
}

// Guest is what a component is given where its server can give it.
type Guest struct {
	Env     [][2]string
	Args    []string
	Network bool // it may connect to anything
}

// flags is "--env NAME=VALUE" for every variable.
func (g Guest) flags() []string {
	var all []string
	for _, kv := range g.Env {
		all = append(all, "--env", kv[0]+"="+kv[1])
	}
	return all
}

// environment is the variables for a guest whose server hands its own on.
func (g Guest) environment() []string {
	var all []string
	for _, kv := range g.Env {
		all = append(all, strings.Join(kv[:], "="))
	}
	return all
}

// Job is what a server is started with.
type Job struct {
	Component string // its name
	File      string
	Logs      string // a directory: what the server prints goes to a file there
}

// Start starts the server and waits until it takes connections.
func (s *Server) Start(ctx context.Context, job Job) (*Process, error) {
	p, err := s.Launch(job)
	if err != nil {
		return nil, err
	}
	if err := p.waitUntilUp(ctx); err != nil {
		p.Stop()
		return nil, fmt.Errorf("start %s with %s: %w; see %s", s.Name, job.Component, err, p.log.Name())
	}
	return p, nil
}

// Launch starts the server and waits for nothing.
func (s *Server) Launch(job Job) (*Process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(job.Logs, 0o755); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(job.Logs, s.Name+"-"+job.Component+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mayfly-peers-")
	if err != nil {
		log.Close()
		return nil, err
	}
	if s.Prepare != nil {
		if err := s.Prepare(port, dir); err != nil {
			log.Close()
			return nil, errors.Join(fmt.Errorf("start %s: %w", s.Name, err), os.RemoveAll(dir))
		}
	}
	args := s.Command(job.File, port, dir)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	// Nothing of this shell but what programs need to be found and to keep caches.
	for _, name := range []string{"PATH", "HOME", "XDG_CACHE_HOME"} {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Env = append(cmd.Env, s.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // jco's server is a child of jco
	p := &Process{Server: s, Addr: address(port), Began: time.Now(), cmd: cmd, log: log, dir: dir, ended: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		p.free()
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	go func() { // ends with the process; Stop waits for it
		_ = cmd.Wait() // how it ended is in ProcessState
		close(p.ended)
	}()
	return p, nil
}

func address(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// freePort returns a port that nothing listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// firstLine is the first line of what a program prints, "" if it does not run.
func firstLine(name string, args ...string) string {
	out, err := (toolchain.Env{}).Output("", name, args...)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(out, "\n")
	return line
}
