package kubeprobe

import (
	"strconv"
)

const (
	requestMethod  = "GET /"
	requestVersion = " HTTP/1.1"
)

// readHTTP1 decides as early as it can: who is no probe is not to wait for the end of its head.
func readHTTP1(head []byte) Kind {
	if common := min(len(head), len(requestMethod)); string(head[:common]) != requestMethod[:common] {
		return Other
	}
	line, rest, whole := cutLine(head)
	if !whole {
		return undecided(line)
	}
	if !isRequestLine(line) {
		return Other
	}
	probe := false
	for {
		if line, rest, whole = cutLine(rest); !whole {
			return undecided(line)
		}
		if len(line) == 0 {
			break
		}
		name, value, ok := cutField(line)
		switch {
		case !ok:
			return Other
		case equalFold(name, "user-agent"):
			if probe || len(value) < len(Agent) || string(value[:len(Agent)]) != Agent {
				return Other
			}
			probe = true
		case equalFold(name, "content-length"), equalFold(name, "transfer-encoding"), equalFold(name, "expect"), equalFold(name, "upgrade"):
			return Other
		}
	}
	if !probe || len(rest) > 0 {
		return Other
	}
	return HTTP
}

// cutLine cuts at the first CR LF. Where there is none whole is false, and line is all there is.
func cutLine(b []byte) (line, rest []byte, whole bool) {
	for i := 1; i < len(b); i++ {
		if b[i-1] == '\r' && b[i] == '\n' {
			return b[:i-1], b[i+1:], true
		}
	}
	return b, nil, false
}

// undecided is More for the beginning of a line, and Other if it cannot be one.
func undecided(line []byte) Kind {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if !isText(line) {
		return Other
	}
	return More
}

func isRequestLine(line []byte) bool {
	target := len(line) - len(requestVersion)
	if target < len(requestMethod) || string(line[target:]) != requestVersion || !isText(line) {
		return false
	}
	for _, c := range line[len(requestMethod):target] {
		if c == ' ' {
			return false
		}
	}
	return true
}

// cutField takes a header field apart. Lines that go on with the one before are none.
func cutField(line []byte) (name, value []byte, ok bool) {
	for i, c := range line {
		if c == ':' {
			value = line[i+1:]
			for len(value) > 0 && (value[0] == ' ' || value[0] == '\t') {
				value = value[1:]
			}
			return line[:i], value, i > 0 && isText(value)
		}
		if c <= ' ' || c >= 0x7f {
			break
		}
	}
	return nil, nil, false
}

// isText reports whether there are no control characters in b but tabs.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// equalFold compares b with a name in lower case.
func equalFold(b []byte, name string) bool {
	if len(b) != len(name) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

// AppendHTTP appends the answer to a probe by HTTP: 200 if ready and else 503, with a sentence. by is who answers.
func AppendHTTP(b []byte, ready bool, by, sentence string) []byte {
	status := "200 OK"
	if !ready {
		status = "503 Service Unavailable"
	}
	b = append(b, "HTTP/1.1 "...)
	b = append(b, status...)
	b = append(b, "\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nConnection: close\r\nMayfly-Probe: "...)
	b = append(b, by...)
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(sentence)+1), 10)
	b = append(b, "\r\n\r\n"...)
	b = append(b, sentence...)
	return append(b, '\n')
}
