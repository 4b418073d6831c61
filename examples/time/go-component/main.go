//go:build wasip1

// Command time is a sidecar that tells the time, as a component for
// wasi:http/proxy: the host calls handle for each request, in an instance of
// its own. The stock Go toolchain builds it as a reactor; wasi.go has what Go
// lacks.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// Nobody calls main in a reactor.
func main() {}

//go:wasmexport wasi:http/incoming-handler@0.2.10#handle
func handle(request, responseOut int32) {
	now := time.Now().UTC().Truncate(time.Second)
	if query(request) == "format=text" {
		answer(responseOut, "text/plain", fmt.Sprintln(now.Format(time.RFC3339)))
		return
	}

	// Drawn anew in each instance, so a caller can tell them apart.
	id := make([]byte, 8)
	rand.Read(id)
	answer(responseOut, "application/json", fmt.Sprintf("{\"time\": %q, \"unix\": %d, \"instance\": %q, \"language\": \"go\"}\n",
		now.Format(time.RFC3339), now.Unix(), hex.EncodeToString(id)))
}
