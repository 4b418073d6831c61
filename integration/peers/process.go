package peers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process is a server that runs.
type Process struct {
	Server *Server
	Addr   string
	Began  time.Time // just before it was started

	cmd   *exec.Cmd
	log   *os.File
	ended chan struct{} // closed when it has
	dir   string
}

// Ended is closed when the program has ended by itself.
func (p *Process) Ended() <-chan struct{} { return p.ended }

func (p *Process) waitUntilUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.Addr)
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

// Stop ends the server and all it started.
func (p *Process) Stop() {
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

func (p *Process) free() {
	if p.Server.Clean != nil {
		p.Server.Clean(p.dir)
	}
	p.log.Close()
	_ = os.RemoveAll(p.dir)
}
