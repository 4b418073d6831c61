// Command native tells the time over HTTP, as the sidecars of examples/time do,
// but as an ordinary program in an ordinary container: what they are compared
// with.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now().UTC()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"time": now.Format(time.RFC3339), "unix": now.Unix(), "language": "go, in a container"})
	})
	log.Fatal(http.ListenAndServe("localhost:"+os.Getenv("PORT"), nil))
}
