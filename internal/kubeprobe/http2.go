package kubeprobe

import "encoding/binary"

// RFC 9113, as far as a client with a single request uses it before the answer.
const (
	preface     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeader = 9

	frameData         = 0x0
	frameHeaders      = 0x1
	frameSettings     = 0x4
	frameWindowUpdate = 0x8

	flagAck        = 0x1
	flagEndStream  = 0x1
	flagEndHeaders = 0x4
)

// Settings is the beginning of a server's side of HTTP/2: settings, all as they are where nothing is said.
const Settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// settingsAck tells the client that its own were read.
const settingsAck = "\x00\x00\x00\x04\x01\x00\x00\x00\x00"

// readHTTP2 reads a connection that begins with the preface, or a part of it.
func readHTTP2(head []byte) (Kind, uint32) {
	if len(head) < len(preface) {
		return More, 0
	}
	settled, stream := false, uint32(0)
	for b := head[len(preface):]; ; {
		if len(b) == 0 && settled && stream == 0 {
			return Greet, 0
		}
		if len(b) < frameHeader {
			return More, 0
		}
		length, kind, flags := int(b[0])<<16|int(b[1])<<8|int(b[2]), b[3], b[4]
		id := binary.BigEndian.Uint32(b[5:])
		if length > MaxHead {
			return Other, 0
		}
		if len(b) < frameHeader+length {
			return More, 0
		}
		payload := b[frameHeader : frameHeader+length]
		b = b[frameHeader+length:]
		switch {
		case kind == frameSettings && id == 0 && flags == 0 && length%6 == 0:
			settled = true
		case !settled: // all else comes after that
			return Other, 0
		case kind == frameSettings && id == 0 && flags == flagAck && length == 0:
		case kind == frameWindowUpdate && length == 4 && (id == 0 || id == stream):
		case kind == frameHeaders && stream == 0 && id&1 == 1 && flags == flagEndHeaders && isHealthCheck(payload):
			stream = id
		case kind == frameData && stream != 0 && id == stream && flags&^flagEndStream == 0:
			if flags&flagEndStream != 0 {
				return GRPC, stream
			}
		default:
			return Other, 0
		}
	}
}

// AppendGRPC appends the answer to a health check: SERVING if ready and else NOT_SERVING. by is who answers. greeted says that the
// client has [Settings] already.
func AppendGRPC(b []byte, stream uint32, greeted, ready bool, by string) []byte {
	if !greeted {
		b = append(b, Settings...)
	}
	b = append(b, settingsAck...)

	b = appendFrame(b, frameHeaders, flagEndHeaders, stream, func(b []byte) []byte {
		b = append(b, 0x80|indexStatusOK)
		b = appendLiteral(b, "content-type", "application/grpc")
		return appendLiteral(b, Field, by)
	})
	b = appendFrame(b, frameData, 0, stream, func(b []byte) []byte { return AppendHealth(b, ready) })
	return appendFrame(b, frameHeaders, flagEndHeaders|flagEndStream, stream, func(b []byte) []byte {
		return appendLiteral(b, "grpc-status", "0")
	})
}

// AppendHealth appends a response of gRPC's health check as it stands in the body: SERVING if ready and else NOT_SERVING.
func AppendHealth(b []byte, ready bool) []byte {
	serving := byte(1)
	if !ready {
		serving = 2
	}
	// gRPC's own five bytes, not compressed and so long; then a message whose first field, a number, is the status.
	return append(b, 0, 0, 0, 0, 2, 1<<3, serving)
}

// appendFrame appends a frame with what payload appends, less than 64 KiB.
func appendFrame(b []byte, kind, flags byte, stream uint32, payload func([]byte) []byte) []byte {
	begin := len(b)
	b = append(b, 0, 0, 0, kind, flags)
	b = binary.BigEndian.AppendUint32(b, stream)
	b = payload(b)
	binary.BigEndian.PutUint16(b[begin+1:], uint16(len(b)-begin-frameHeader))
	return b
}
