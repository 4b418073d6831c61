package wasihttp

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

const (
	requestIDField = "X-Request-Id"
	maxRequestID   = 128
	// idCharacters are safe in a log line, a header and a URL.
	idCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:=+/@"
)

// requestID is the name of a request in logs and answers: the client's own if it is harmless, else a new one.
func requestID(h http.Header) string {
	if id := h.Get(requestIDField); id != "" && len(id) <= maxRequestID && strings.Trim(id, idCharacters) == "" {
		return id
	}
	var b [12]byte
	_, _ = rand.Read(b[:]) // cannot fail: it ends the process instead
	return hex.EncodeToString(b[:])
}
