package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// startTime is how long a server may take until it answers: some compile the component first.
	startTime = 4 * time.Minute
	stopTime  = 5 * time.Second
)

// server is a program that serves components.
type server struct {
	name    string
	version string
	// command serves the component in file on a port of 127.0.0.1, with guestArgs where it can. dir is its to write to.
	command func(file string, port int, dir string) []string
	env     []string
	// cannot says why the server cannot be asked to serve a component, "" if it can.
	cannot func(component string) string
}

// What every guest has where its server can give it.
var (
	guestEnv  = [][2]string{{"GREETING", "hello, world"}, {"EMPTY", ""}}
	guestArgs = []string{"one", "two words"}
)

// process is a server that runs.
type process struct {
	server *server
	addr   string
	cmd    *exec.Cmd
	log    *os.File
	ended  chan struct{} // closed when it has
	dir    string
}

// start starts the server with a component and waits until it takes connections. What it prints goes to a file in logs.
func (s *server) start(ctx context.Context, c *component, logs string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(logs, s.name+"-"+c.name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mayfly-differential-")
	if err != nil {
		log.Close()
		return nil, err
	}
	args := s.command(c.file, port, dir)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	// Nothing of this shell but what programs need to be found and to keep caches.
	for _, name := range []string{"PATH", "HOME", "XDG_CACHE_HOME"} {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Env = append(cmd.Env, s.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // jco's server is a child of jco
	p := &process{server: s, addr: fmt.Sprintf("127.0.0.1:%d", port), cmd: cmd, log: log, dir: dir, ended: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		p.free()
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	if err := p.waitUntilUp(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s with %s: %w; see %s", s.name, c.name, err, log.Name())
	}
	return p, nil
}

func (p *process) waitUntilUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it takes no connection: %w", ctx.Err())
		case <-p.ended:
			return fmt.Errorf("it ended: %v", p.cmd.ProcessState)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server and all it started.
func (p *process) stop() {
	group := -p.cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTime):
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // of what is left of the group too
	<-p.ended
	p.free()
}

func (p *process) free() {
	p.log.Close()
	_ = os.RemoveAll(p.dir)
}

// freePort returns a port that nothing listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// with is "--env NAME=VALUE" for every variable a guest has.
func withEnv(args ...string) []string {
	for _, kv := range guestEnv {
		args = append(args, "--env", kv[0]+"="+kv[1])
	}
	return args
}

// environment is the variables of guests whose server hands its own on.
func environment() []string {
	var env []string
	for _, kv := range guestEnv {
		env = append(env, strings.Join(kv[:], "="))
	}
	return env
}
