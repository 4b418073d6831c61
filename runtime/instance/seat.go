package instance

import (
	"crypto/rand"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/tetratelabs/wazero"
)

// seat is what an instance is given through wazero's configuration: standard streams, random bytes, sleep. To make a configuration
// costs as much as to instantiate a small module, so it is made once for a seat, and instances take the seats in turn.
type seat struct {
	instance *Instance // who has the seat
	args     []string
	fs       wazero.FSConfig
	config   wazero.ModuleConfig
}

// sit returns a seat for i with a configuration that fits the call.
func (m *Module) sit(i *Instance, c *Call) *seat {
	s, ok := m.seats.Get().(*seat)
	if !ok || s.fs != c.FS || !slices.Equal(s.args, c.Args) {
		s = m.newSeat(slices.Clone(c.Args), c.FS)
	}
	s.instance = i
	return s
}

func (m *Module) newSeat(args []string, fs wazero.FSConfig) *seat {
	s := &seat{args: args, fs: fs}
	s.config = m.runtime.config.
		WithArgs(args...).
		WithStdin(stdin{s}).
		WithStdout(stdout{s}).
		WithStderr(stderr{s}).
		WithRandSource(random{s}).
		WithNanosleep(func(ns int64) { s.instance.sleep(time.Duration(ns)) })
	if fs != nil {
		s.config = s.config.WithFSConfig(fs)
	}
	return s
}

// leave makes the seat free. Nothing of its instance runs any more.
func (m *Module) leave(s *seat) {
	s.instance = nil
	m.seats.Put(s)
}

// The streams stand between the guest and the caller's reader and writers. They hide what else those are: of an *os.File wazero would
// poll the descriptor, and the end of a context does not wake it from that.
type (
	stdin  struct{ *seat }
	stdout struct{ *seat }
	stderr struct{ *seat }
)

func (s stdin) Read(p []byte) (int, error) {
	i := s.instance
	if i.stdin == nil {
		return 0, io.EOF
	}
	i.wait()
	defer i.resume()
	return i.stdin.Read(p)
}

func (s stdout) Write(p []byte) (int, error) { return s.instance.write(s.instance.stdout, p) }
func (s stderr) Write(p []byte) (int, error) { return s.instance.write(s.instance.stderr, p) }

func (i *Instance) write(w io.Writer, p []byte) (int, error) {
	if w == nil {
		return len(p), nil
	}
	i.wait()
	defer i.resume()
	return w.Write(p)
}

// randomChunk bounds what is drawn between two looks at the context.
const randomChunk = 64 << 10

// random is a source of random bytes: the system's. There is nothing between the two that could repeat.
type random struct{ *seat }

// Read implements io.Reader and never fails.
func (r random) Read(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if r.instance.ctx.Err() != nil {
			panic(errStopped)
		}
		chunk := p[:min(len(p), randomChunk)]
		p = p[len(chunk):]
		_, _ = rand.Read(chunk) // does not fail: it ends the process instead
		if len(p) > 0 {
			runtime.Gosched()
		}
	}
	return n, nil
}
