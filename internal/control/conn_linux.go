package control

import (
	"io"

	"golang.org/x/sys/unix"
)

// Conn is one end of a link, on a blocking descriptor. Send and Recv may be called at the same time, each by one goroutine.
type Conn struct {
	fd int
}

// Buffer has room for a message and a byte more, so that a longer one is seen rather than cut.
type Buffer [MaxMessage + 1]byte

// NewConn takes over fd, a connected SOCK_SEQPACKET socket.
func NewConn(fd int) *Conn { return &Conn{fd: fd} }

// Dial connects to the socket at path.
func Dial(path string) (*Conn, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &Conn{fd: fd}, nil
}

// Pair returns the two ends of a new link. Both are close-on-exec.
func Pair() (*Conn, *Conn, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	return &Conn{fd: fds[0]}, &Conn{fd: fds[1]}, nil
}

// Fd returns the descriptor, for poll and for handing it to a child. It stays the Conn's.
func (c *Conn) Fd() int { return c.fd }

// Send writes m, with copies of the descriptors fds.
func (c *Conn) Send(m Message, fds ...int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	for {
		err := unix.Sendmsg(c.fd, Append(nil, m), rights, nil, unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return err
		}
	}
}

// Recv reads the next message and the descriptors that came with it, which are the caller's to close and close-on-exec.
// It returns io.EOF when the other side is gone, and errors wrapping [ErrVersion] or [ErrMalformed].
func (c *Conn) Recv() (Message, []int, error) {
	var buf Buffer
	oob := make([]byte, unix.CmsgSpace(MaxFiles*4))
	var n, oobn, flags int
	for {
		var err error
		n, oobn, flags, _, err = unix.Recvmsg(c.fd, buf[:], oob, unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return Message{}, nil, err
		}
		break
	}
	fds := parseRights(oob[:oobn])
	if n == 0 {
		CloseAll(fds)
		return Message{}, nil, io.EOF
	}
	m, err := Parse(buf[:n])
	if err == nil && flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		err = ErrMalformed
	}
	if err != nil {
		CloseAll(fds)
		return Message{}, nil, err
	}
	return m, fds, nil
}

// Next is Recv for a link on which no descriptors are expected: the kernel closes those that come. The text is in buf until that is used
// again: nothing is allocated, so that a holder that hears an engine's beats for months does not grow.
func (c *Conn) Next(buf *Buffer) (kind Kind, text []byte, err error) {
	for {
		n, err := unix.Read(c.fd, buf[:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, nil, err
		case n == 0:
			return 0, nil, io.EOF
		}
		return parse(buf[:n])
	}
}

// Close closes the link. A Recv of another goroutine returns io.EOF.
func (c *Conn) Close() error {
	unix.Shutdown(c.fd, unix.SHUT_RDWR)
	return unix.Close(c.fd)
}

// CloseAll closes descriptors that came with a message.
func CloseAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

func parseRights(oob []byte) []int {
	var fds []int
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range messages {
		got, err := unix.ParseUnixRights(&messages[i])
		if err == nil {
			fds = append(fds, got...)
		}
	}
	return fds
}
