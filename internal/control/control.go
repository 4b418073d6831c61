// Package control is how shim, holder and engine talk.
//
// Two links speak it, both AF_UNIX SOCK_SEQPACKET sockets, so that a message is whole or not there:
//
//	shim ←→ holder    /.mayfly/control.sock in the sidecar's container, from Start to the first Ready or Error
//	holder ←→ engine  descriptor 3 of the engine, as long as the engine lives
//
// A message is a version byte, a kind byte and up to [MaxText] bytes of text. The order on the first link:
//
//	holder: Hello                  who connects speaks first, so that the shim can check version and peer
//	shim:   Listen + descriptors   the pod's listening sockets, none for a command; the text has a word for each further one
//	holder: Ready | Final | Error  Final: ready, and a command, which needs no sockets; Error's text is a sentence for the person who wrote the pod
//
// and on the second: [Final,] then Ready or Error, Beat each second all the while, and Idle before an engine leaves of its own will. The
// text of Beat and Idle are the engine's figures (see [Figures]). An engine that takes its time says Slow before Ready, and is answered by
// Takes after it.
//
// When the first link has done its work its listening socket is the holder's: whoever connects from inside the container, which are
// the tools that kubectl exec runs, is told in a State how things are, and hung up on.
//
// Nothing here trusts the other side: sizes and descriptor counts are bounded and what does not fit is refused.
// The holder links this package into a process that should weigh nothing, so it imports next to nothing.
package control

import (
	"errors"
)

// Version is the protocol's. Sides of different versions refuse each other: all come from one release.
const Version = 1

const (
	// MaxText bounds a message's text, in bytes.
	MaxText = 4096
	// MaxFiles bounds the descriptors that come with one message.
	MaxFiles = 8

	headerSize = 2
	// MaxMessage is the size of the largest message, in bytes.
	MaxMessage = headerSize + MaxText
)

// Kind tells messages apart.
type Kind byte

// The kinds of messages.
const (
	Hello  Kind = 1 + iota // holder to shim: I am here
	Listen                 // shim to holder: take these listening sockets
	Ready                  // requests can be served, or the command runs
	Error                  // it will not work; the text says why and what to do
	Beat                   // engine to holder: still alive
	Idle                   // engine to holder: leaving, there is nothing to do
	Final                  // engine to holder: my exit is the container's exit; holder to shim: Ready, and that
	State                  // holder to a tool: how things are, see [Status]
	Slow                   // engine to holder: loading takes its time; look at who comes meanwhile, and hand them over when I am ready
	Take                   // holder to engine: connections, all [Greeted] where the text says so; without any: these were all

	lastKind = Take
)

var (
	// ErrVersion is returned for a message of another protocol version.
	ErrVersion = errors.New("other control protocol version: shim, mayfly-init and mayfly-engine must be of one release")
	// ErrMalformed is returned for anything that is no message.
	ErrMalformed = errors.New("malformed control message")
)

// Words of a Listen's text, with spaces between: each stands for a descriptor after the sockets, in the order of the words.
const (
	Compiled = "compiled" // a directory with the module's compiled code, which the engine may use
	Tools    = "tools"    // the listening socket of [SocketPath]
)

// Greeted is the text of a Take of connections that HTTP/2's settings were sent on.
const Greeted = "greeted"

// Message is what one side tells the other.
type Message struct {
	Kind Kind
	Text string
}

// Append appends the wire form of m to b. Text beyond MaxText is cut.
func Append(b []byte, m Message) []byte {
	b = append(b, Version, byte(m.Kind))
	return append(b, m.Text[:min(len(m.Text), MaxText)]...)
}

// Parse reads one message. It returns an error wrapping [ErrVersion] or [ErrMalformed].
func Parse(b []byte) (Message, error) {
	kind, text, err := parse(b)
	return Message{Kind: kind, Text: string(text)}, err
}

func parse(b []byte) (Kind, []byte, error) {
	if len(b) < headerSize || len(b) > MaxMessage {
		return 0, nil, ErrMalformed
	}
	if b[0] != Version {
		return 0, nil, ErrVersion
	}
	if k := Kind(b[1]); k < Hello || k > lastKind {
		return 0, nil, ErrMalformed
	}
	return Kind(b[1]), b[headerSize:], nil
}
