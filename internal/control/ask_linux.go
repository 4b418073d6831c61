package control

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// askPatience bounds how long a tool waits for the holder, in seconds. It answers at once, or something is wrong with it.
const askPatience = 5

var (
	// ErrNotYet is returned by Ask while the sidecar starts for the first time.
	ErrNotYet = errors.New("the sidecar is being started")
	// ErrNobody is returned by Ask where a holder does not answer tools.
	ErrNobody = errors.New("nobody answers tools in this container: its shim is of an older release, and a new pod has a new one")
	// ErrSilent is returned by Ask when there is no answer.
	ErrSilent = errors.New("no answer within 5 seconds: is the container paused, or out of CPU time?")
)

// Ask asks the holder at path how things are. It returns errors wrapping [ErrNotYet], [ErrNobody], [ErrSilent], [ErrVersion] or
// [ErrMalformed], and those of the system.
func Ask(path string) (Status, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return Status{}, err
	}
	c := NewConn(fd)
	defer c.Close()
	patience := unix.Timeval{Sec: askPatience}
	for _, way := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, way, &patience); err != nil {
			return Status{}, err
		}
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return Status{}, explain(err)
	}
	var buf Buffer
	kind, text, err := c.Next(&buf)
	if err != nil {
		return Status{}, explain(err)
	}
	if kind != State {
		return Status{}, ErrMalformed
	}
	return ParseStatus(string(text))
}

func explain(err error) error {
	switch err {
	case io.EOF, unix.ECONNRESET: // the shim's, until the sidecar runs
		return ErrNotYet
	case unix.ECONNREFUSED:
		return ErrNobody
	case unix.EAGAIN:
		return ErrSilent
	}
	return err
}
