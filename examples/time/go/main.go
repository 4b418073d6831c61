// Command time is a sidecar that tells the time, as a CGI program (RFC 3875):
// the request comes in environment variables, the answer goes to stdout. Each
// request runs main in an instance of its own.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"time"
)

func main() {
	now := time.Now().UTC().Truncate(time.Second)
	if os.Getenv("QUERY_STRING") == "format=text" {
		fmt.Printf("Content-Type: text/plain\r\n\r\n%s\n", now.Format(time.RFC3339))
		return
	}

	// Drawn anew in each instance, so a caller can tell them apart.
	id := make([]byte, 8)
	rand.Read(id)
	fmt.Printf("Content-Type: application/json\r\n\r\n")
	fmt.Printf("{\"time\": %q, \"unix\": %d, \"instance\": %q, \"language\": \"go\"}\n",
		now.Format(time.RFC3339), now.Unix(), hex.EncodeToString(id))
}
