package time_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/wasihttp"
)

func TestEachComponentTellsTheTimeFromAFreshInstance(t *testing.T) {
	for name, language := range map[string]string{
		"time-c": "c", "time-go": "go", "time-rust": "rust", "time-python": "python",
		"time-javascript": "javascript", "time-javascript-handler": "javascript",
	} {
		t.Run(name, func(t *testing.T) {
			wasm, ok := guests.Built(name)
			if !ok {
				t.Skip("it is not built: make guests builds it")
			}
			get := serve(t, wasm)
			seen := map[string]bool{}
			for range 3 {
				contentType, body := get("/")
				if contentType != "application/json" {
					t.Errorf("content-type %q", contentType)
				}
				decode(t, body).check(t, language, seen)
			}

			contentType, text := get("/?format=text")
			if _, err := time.Parse(time.RFC3339+"\n", text); contentType != "text/plain" || err != nil {
				t.Errorf("as text: %s %q: %v", contentType, text, err)
			}
		})
	}
}

// serve runs a component with the defaults of a sidecar and returns a function
// that asks it.
func serve(t *testing.T, wasm []byte) func(path string) (contentType, body string) {
	t.Helper()
	sidecar, err := config.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	app, err := wasihttp.Load(t.Context(), wasihttp.Options{
		Wasm: wasm, Sidecar: sidecar, Args: []string{"time"},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), GuestLog: t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := app.Server.Serve(ctx, []net.Listener{listener}, nil); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		client.CloseIdleConnections()
		stop()
		<-done
	})
	return func(path string) (contentType, body string) {
		t.Helper()
		response, err := client.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		all, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %q, %v", response.Status, all, err)
		}
		return response.Header.Get("Content-Type"), string(all)
	}
}
