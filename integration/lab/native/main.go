// Command native tells the time over HTTP, as the sidecars of examples/time do,
// but as an ordinary program in an ordinary container: what they are compared
// with.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now().UTC()
		id := make([]byte, 8)
		rand.Read(id)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"time": now.Format(time.RFC3339), "unix": now.Unix(), "instance": hex.EncodeToString(id), "language": "go, in a container"})
	})
	log.Fatal(http.ListenAndServe("localhost:"+os.Getenv("PORT"), nil))
}
