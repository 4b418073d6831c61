package wasihttp

import "net"

// RFC 9113, as far as it is looked for.
const (
	prefaceSize     = 24
	frameHeaderSize = 9
	frameSettings   = 4
	flagAck         = 1
)

// greeted is an HTTP/2 connection on which somebody else has sent a server's settings: before that the client would not say what it
// wants. Its first acknowledgement is of those. The server that goes on sends its own and takes one acknowledgement too many for an
// error, so the first is left out.
type greeted struct {
	net.Conn
	pass    int                   // bytes to be let through before the next frame
	frame   [frameHeaderSize]byte // the beginning of a frame
	got     int                   // bytes of it
	pending []byte                // of it, to be returned
	over    bool                  // the acknowledgement has come
}

// Greeted returns c, an HTTP/2 connection to be served, without the client's acknowledgement of settings that were sent on it before.
func Greeted(c net.Conn) net.Conn { return &greeted{Conn: c, pass: prefaceSize} }

func (g *greeted) Read(p []byte) (int, error) {
	for {
		switch {
		case len(g.pending) > 0:
			n := copy(p, g.pending)
			g.pending = g.pending[n:]
			return n, nil
		case g.over:
			return g.Conn.Read(p)
		case g.pass > 0:
			n, err := g.Conn.Read(p[:min(len(p), g.pass)])
			g.pass -= n
			return n, err
		}
		n, err := g.Conn.Read(g.frame[g.got:])
		if g.got += n; g.got < frameHeaderSize {
			if err != nil {
				return 0, err
			}
			continue
		}
		g.got = 0
		g.pass = int(g.frame[0])<<16 | int(g.frame[1])<<8 | int(g.frame[2])
		if g.over = g.frame[3] == frameSettings && g.frame[4]&flagAck != 0; !g.over {
			g.pending = g.frame[:]
		}
	}
}
