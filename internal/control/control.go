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
//	shim:   Listen + descriptors   the pod's listening sockets, none for a command; where the text is [Compiled], the last is not a socket
//	holder: Ready | Final | Error  Final: ready, and a command, which needs no sockets; Error's text is a sentence for the person who wrote the pod
//
// and on the second: [Final,] then Ready or Error, Beat each second all the while, and Idle before an engine leaves of its own will.
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

	lastKind = Final
)

var (
	// ErrVersion is returned for a message of another protocol version.
	ErrVersion = errors.New("other control protocol version: shim, mayfly-init and mayfly-engine must be of one release")
	// ErrMalformed is returned for anything that is no message.
	ErrMalformed = errors.New("malformed control message")
)

// Compiled is the text of a Listen whose last descriptor is a directory with the module's compiled code, which the engine may use.
const Compiled = "compiled"

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
	if len(b) < headerSize || len(b) > MaxMessage {
		return Message{}, ErrMalformed
	}
	if b[0] != Version {
		return Message{}, ErrVersion
	}
	if k := Kind(b[1]); k < Hello || k > lastKind {
		return Message{}, ErrMalformed
	}
	return Message{Kind: Kind(b[1]), Text: string(b[headerSize:])}, nil
}
