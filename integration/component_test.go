//go:build linux

package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// component starts a component, whose exports say what starts it.
func (p *pod) component(guest string, port int, env ...string) *container {
	p.e.Helper()
	return p.run(componentSpec(guest, port, env...))
}

func componentSpec(guest string, port int, env ...string) lab.Spec {
	return sidecarSpec(guest, port, append([]string{"MAYFLY_TRIGGER="}, env...)...)
}

// client asks from inside the one pod that has a main container.
func (e *env) client() *http.Client {
	e.Helper()
	ps := e.processes("sleep")
	e.equal("main containers", len(ps), 1)
	transport := &http.Transport{DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
		return e.node.DialFrom(ps[0].Pid, address)
	}}
	e.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// post sends a request whose body is what is written to the pipe.
func (e *env) post(path string, change func(*http.Request)) (*http.Response, *io.PipeWriter) {
	e.Helper()
	body, say := io.Pipe()
	req, err := http.NewRequestWithContext(e.ctx, http.MethodPost, "http://127.0.0.1:8080"+path, body)
	e.check(err)
	if change != nil {
		change(req)
	}
	resp, err := e.client().Do(req)
	e.check(err)
	e.Cleanup(func() {
		resp.Body.Close()
		say.Close()
	})
	e.equal("status", resp.StatusCode, http.StatusOK)
	return resp, say
}

func componentAnswers(e *env) {
	p := e.pod()
	main := p.main()
	for i, guest := range []string{"time-c", "time-rust", "composed"} {
		p.component(guest, 8081+i)
	}
	p.component("http", 8080)
	for range 2 {
		e.equal("the counter of a fresh instance", main.get("http://localhost:8080/counter"), "1")
	}
	e.contains("one in C", main.get("http://localhost:8081/"), `"language": "c"`)
	e.contains("one in Rust", main.get("http://localhost:8082/"), `"language": "rust"`)
	e.equal("one that is composed", main.get("http://localhost:8083/counters"), "(11, 12, 21) (33, 24) 2 1 34 0")
	e.equal("a body", main.sh("curl -sS --fail-with-body -H 'Content-Type: text/plain' -d 'a body' http://localhost:8080/echo"), "a body")
	e.contains("a request", main.sh("curl -sS --fail-with-body -X PATCH -H 'X-Field: a value' 'http://localhost:8080/request?a=b'"), "method: patch\n", "path: /request?a=b\n", "header: x-field=a value\n")
}

// componentStreams sends each piece of a body only when the one before has come
// back: both ways are streams or this never ends.
func componentStreams(e *env) {
	p := e.pod()
	p.main()
	p.component("http", 8080)
	resp, say := e.post("/echo", nil)
	for _, piece := range []string{"one", "two", "three"} {
		_, err := io.WriteString(say, piece)
		e.check(err)
		back := make([]byte, len(piece))
		_, err = io.ReadFull(resp.Body, back)
		e.check(err)
		e.equal("what comes back", string(back), piece)
	}
	e.check(say.Close())
	rest, err := io.ReadAll(resp.Body)
	e.check(err)
	e.equal("the rest", string(rest), "")

	// The head of an answer whose body is an hour away.
	resp, err = e.client().Get("http://127.0.0.1:8080/sleep?head=1&ms=3600000")
	e.check(err)
	resp.Body.Close()
	e.equal("status", resp.StatusCode, http.StatusOK)
}

func componentTrailers(e *env) {
	p := e.pod()
	p.main()
	p.component("http", 8080)
	resp, say := e.post("/trailers?trailer=x-pieces:2", func(r *http.Request) { r.Trailer = http.Header{"X-End": {"reached"}} })
	_, err := io.WriteString(say, "body")
	e.check(errors.Join(err, say.Close()))
	text, err := io.ReadAll(resp.Body)
	e.check(err)
	e.equal("body", string(text), "body")
	e.equal("the guest's trailer", resp.Trailer.Get("X-Pieces"), "2")
	e.equal("the client's trailer", resp.Trailer.Get("X-Request-X-End"), "reached")
}

// componentLargeBodies: bodies several times as large as the container's memory
// go through it, by the guest's hands and past them.
func componentLargeBodies(e *env) {
	const size = 160 << 20
	p := e.pod()
	main := p.main()
	s := componentSpec("http", 8080)
	s.Change = func(c *cri.ContainerConfig) { c.Linux.Resources.MemoryLimitInBytes = 64 << 20 }
	s.Env["MAYFLY_TIMEOUT"] = lab.Patience(30 * time.Second).String()
	p.run(s)
	before := e.processes("mayfly-engine")
	e.equal("what comes down", main.sh(fmt.Sprintf("curl -sS 'http://localhost:8080/download?n=%d' | wc -c", size)), fmt.Sprintln(size))
	for _, path := range []string{"/echo", "/splice"} {
		e.equal("what comes back from "+path, main.sh(fmt.Sprintf("head -c %d /dev/zero | curl -sS -T - http://localhost:8080%s | wc -c", size, path)), fmt.Sprintln(size))
	}
	e.equal("the engine is the same", e.processes("mayfly-engine")[0].Pid, before[0].Pid)
}

func componentFails(e *env) {
	p := e.pod()
	main := p.main()
	side := p.component("http", 8080, "MAYFLY_TIMEOUT=2s")
	for path, status := range map[string]string{
		"/never": "500", "/never?drop=1": "500", "/trap": "500", "/trap?panic=1": "500", "/recurse": "500", "/spin": "504", "/exit?code=1": "500",
	} {
		e.equal(path, main.status("http://localhost:8080"+path), status)
		e.equal("a good one after "+path, main.get("http://localhost:8080/hello"), "hello")
	}
	r, err := main.Exec(e.ctx, "curl", "-sS", "--max-time", curlPatience, "-o", "/dev/null", "http://localhost:8080/trap-after-head?n=100")
	e.check(err)
	const partial = 18 // of curl's exit codes: the transfer was cut
	e.equal("curl's exit code for an answer that is cut", r.Code, int32(partial))
	e.eventually("the log says why", func() bool {
		log := side.log()
		return strings.Contains(log, "without an answer") && strings.Contains(log, "unreachable") && strings.Contains(log, "as asked")
	})
	e.equal("a good one after all", main.get("http://localhost:8080/hello"), "hello")
}

func componentWakes(e *env) {
	p := e.pod()
	main := p.main()
	s := componentSpec("http", 8080, "MAYFLY_IDLE_TIMEOUT=300ms")
	s.Change = strict
	p.run(s)
	for range 2 {
		e.eventually("the engine leaves", func() bool { return len(e.processes("mayfly-engine")) == 0 })
		e.equal("the answer of the next", main.get("http://localhost:8080/counter"), "1")
	}
}

func componentCommands(e *env) {
	p := e.pod()
	command := func(trigger string, args ...string) *container {
		s := lab.Spec{Name: strings.Join(args, "-") + trigger, Image: lab.GuestsImage, Args: append([]string{"/command.wasm"}, args...)}
		if trigger != "" {
			s.Env = map[string]string{"MAYFLY_TRIGGER": trigger}
		}
		return p.run(s)
	}
	for _, trigger := range []string{"command", ""} {
		hello := command(trigger, "hello")
		e.equal("exit code of one that returns", hello.exited(), int32(0))
		e.eventually("both streams are in the log", func() bool {
			return strings.Contains(hello.log(), "hello\n") && strings.Contains(hello.log(), "on stderr\n")
		})
	}
	// WASI 0.2 knows success and failure, and no other codes.
	e.equal("exit code of one that exits with 7", command("command", "exit", "7").exited(), int32(1))
	e.equal("exit code of one that traps", command("command", "panic").exited(), int32(134))
	sleeper := command("command", "sleep", "60000")
	e.check(sleeper.Stop(e.ctx, 10*time.Second))
	e.equal("exit code of one that is stopped", sleeper.exited(), int32(143))
	// One that is no server leaves the pod's port to who comes after it.
	main := p.run(lab.Spec{Name: "main", Image: lab.MainImage})
	e.eventually("nginx answers on port 80", func() bool {
		r, err := main.Exec(e.ctx, "curl", "-s", "--max-time", "1", "http://localhost/")
		return err == nil && r.Code == 0
	})
}

func componentFiles(e *env) {
	dir, rw := e.volume("rw", "/rw", false)
	ro, rom := e.volume("ro", "/ro", true)
	e.check(os.WriteFile(filepath.Join(ro, "a"), []byte("read me"), 0o644))
	p := e.pod()
	main := p.main()
	s := componentSpec("http", 8080, "GREETING=hello there", "MAYFLY_LOG=json")
	s.Mounts = []*cri.Mount{rw, rom}
	s.Change = strict
	p.run(s)
	const at = "http://localhost:8080"
	e.check(os.Chmod(dir, 0o777)) // strict is another user
	e.equal("a file of the image", main.get(at+"/read?path=/data/here"), "in the image")
	e.equal("a file of a read-only volume", main.get(at+"/read?path=/ro/a"), "read me")
	e.equal("a write to a volume", main.get(at+"/write?path=/rw/b&text=written"), "wrote 7")
	text, err := os.ReadFile(filepath.Join(dir, "b"))
	e.check(err)
	e.equal("what was written", string(text), "written")
	for _, path := range []string{"/ro/b", "/b", "/data/b", "/rw/../../b"} {
		e.equal("a write to "+path, main.status(at+"/write?text=x&path="+path), "403")
	}
	for _, path := range []string{"/.mayfly/engine", "/proc/self/environ", "/sys", "/dev/null"} {
		e.equal("a read of "+path, main.status(at+"/read?path="+path), "404")
	}
	env := main.get(at + "/env")
	e.contains("the environment", env, "GREETING=hello there", "PORT=8080")
	if strings.Contains(env, "MAYFLY_") {
		e.Errorf("the guest sees mayfly's variables: %s", env)
	}
	e.contains("the arguments", main.get(at+"/args"), "/http.wasm")
}

func componentAsks(e *env) {
	far := e.pod()
	other := far.run(lab.Spec{Name: "main", Image: lab.MainImage})
	there := "http://" + far.ip() + ":80"
	p := e.pod()
	main := p.run(lab.Spec{Name: "main", Image: lab.MainImage})
	for _, nginx := range []*container{main, other} {
		e.eventually("nginx answers", func() bool {
			r, err := nginx.Exec(e.ctx, "curl", "-s", "http://localhost/")
			return err == nil && r.Code == 0
		})
	}
	narrow := p.component("http", 8080)
	p.component("http", 8081, "MAYFLY_ALLOWED_OUTBOUND="+there)
	ask := func(port int, url string) string {
		return main.get(fmt.Sprintf("http://localhost:%d/get?url=%s", port, url))
	}

	e.contains("its own pod", ask(8080, "http://localhost/"), "status 200", "nginx is the main container")
	e.contains("its own pod by address", ask(8080, "http://127.0.0.1/"), "status 200")
	e.contains("another pod", ask(8080, there+"/"), "http-request-denied")
	e.contains("another pod over TCP", main.get("http://localhost:8080/tcp?to="+strings.TrimPrefix(there, "http://")), "access-denied")
	e.eventually("the log says what would allow it", func() bool { return strings.Contains(narrow.log(), "MAYFLY_ALLOWED_OUTBOUND") })
	e.contains("another pod that is allowed", ask(8081, there+"/"), "status 200", "nginx is the main container")
	e.contains("its own pod when only another is allowed", ask(8081, "http://localhost/"), "http-request-denied")
}

// javascriptMemory is the memory limit of a sidecar in JavaScript: it takes
// some 300 MB to compile one.
const javascriptMemory = 512 << 20

func javascriptAnswers(e *env) {
	e.compilesJavaScript()
	p := e.pod()
	main := p.main()
	p.run(lab.Spec{Name: "js", Image: javascript.Image(), Env: map[string]string{"PORT": "8080"}, Change: func(c *cri.ContainerConfig) {
		c.Linux.Resources.MemoryLimitInBytes = javascriptMemory
	}})
	one, two := main.get("http://localhost:8080/"), main.get("http://localhost:8080/")
	e.contains("the answer", one, `"language":"javascript"`)
	if one == two {
		e.Errorf("two requests had one instance: %s", one)
	}
	const n = 20
	out := main.sh(fmt.Sprintf("curl -sS --fail-with-body -Z --parallel-max %d 'http://localhost:8080/?[1-%d]'", n, n))
	e.equal("answers at once", strings.Count(out, `"instance"`), n)
}
