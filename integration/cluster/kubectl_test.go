//go:build linux

package cluster

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
)

var kubectlScenarios = []scenario{
	{"kubectl logs has a sidecar's lines, follows them, and knows those before a restart", kubectlLogs, sidecar},
	{"kubectl exec runs mayfly's tools in a sidecar, and what the image has", kubectlExec, sidecar},
	{"kubectl attach sees what a sidecar writes from then on", kubectlAttach, sidecar},
	{"kubectl cp needs tar in the image, of a sidecar as of any container", kubectlCopy, sidecar},
	{"kubectl describe of a pod with sidecars reads like that of any other", kubectlDescribe, sidecar},
}

// shell is a sidecar whose image has a shell.
const shell = `  - {name: shell, image: "` + lab.BusyboxImage + `", command: [/hello.wasm], env: [{name: MAYFLY_TRIGGER, value: http}, {name: PORT, value: "8090"}]}
`

func kubectlLogs(e *env) {
	e.apply(podOf("logged", "", guest("side", "stderr", "PORT=8080"), mainWaits()))
	e.ready("logged")
	e.contains("the log", e.kubectl("logs", "logged", "-c", "side"), "ready module=/stderr.wasm")

	e.follows("logged", "side", "first line", func() { e.get("logged", "http://localhost:8080/") })

	e.apply(podOf("ends", "", guest("side", "exit", "MAYFLY_TRIGGER=command MAYFLY_LOG_LEVEL=debug", "args: [exit, '3']"), mainWaits()))
	e.eventually("the log before a restart is there", func() bool {
		text, _, err := e.tryKubectl("logs", "ends", "-c", "side", "--previous") // of which kubelet keeps the last one only
		return err == nil && strings.Contains(text, "module=/exit.wasm")
	})
}

// follows sees that kubectl logs -f has the line that a container writes when
// it is made to.
func (e *env) follows(pod, container, want string, write func()) {
	e.Helper()
	cmd := e.command("logs", "-f", pod, "-c", container, "--tail=1")
	out, err := cmd.StdoutPipe()
	e.check(err)
	e.check(cmd.Start())
	defer func() {
		_ = cmd.Process.Kill() // it goes on for ever
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		e.Fatal("kubectl logs -f has no line")
	}
	write()
	if !lines.Scan() {
		e.Fatal("kubectl logs -f does not follow")
	}
	e.contains("the line that follows", lines.Text(), want)
}

func kubectlExec(e *env) {
	e.apply(podOf("execs", "",
		guest("side", "echo", "PORT=8080 MAYFLY_IDLE_TIMEOUT=500ms MAYFLY_SERVER_TIMING=1", "resources: {limits: {memory: 64Mi}}"),
		shell, mainWaits()))
	e.ready("execs")
	e.eventually("the engine leaves", func() bool { return e.top("execs", "side").Doing == "asleep" })
	e.contains("probe", e.kubectl("exec", "execs", "-c", "side", "--", "mayfly", "probe"), "the sidecar sleeps: the next request wakes it")
	e.contains("top", e.kubectl("exec", "execs", "-c", "side", "--", "mayfly", "top"), "STATE", "sleeps", "1 so far", "holder", "of at most 64.0 Mi", "CPU")
	e.contains("help", e.kubectl("exec", "execs", "-c", "side", "--", "mayfly", "--help"), "mayfly invoke PATH")

	out, errs, err := e.tryKubectl("exec", "execs", "-c", "side", "--", "mayfly", "invoke", "/a?b=c", "-d", "hello", "-H", "X-Own: mine", "-v")
	e.check(err)
	e.contains("the answer's head", errs, "HTTP/1.1 200 OK", "Content-Type: text/plain", "Server-Timing: ")
	e.contains("the answer", out, "hello")
	out, errs, err = e.tryKubectl("exec", "execs", "-c", "side", "--", "mayfly", "invoke", "-X", "CONNECT", "/")
	if err == nil {
		e.Errorf("an answer that is none is one: %s%s", out, errs)
	}
	e.contains("what is wrong", errs, "501 Not Implemented", "exit code 1")

	busy := e.top("execs", "side")
	if busy.Wakes == 0 {
		e.Error("a request has not woken the sidecar")
	}
	e.equal("the limit of memory", busy.Memory.Limit, uint64(64<<20))

	_, errs, err = e.tryKubectl("exec", "execs", "-c", "side", "--", "sh", "-c", "echo no")
	if err == nil {
		e.Error("there is a shell in an image without one")
	}
	e.contains("why there is none", errs, `exec: "sh": executable file not found`)
	e.equal("a shell in an image with one", e.kubectl("exec", "execs", "-c", "shell", "--", "sh", "-c", "echo yes | tr a-z A-Z"), "YES\n")
	e.contains("mayfly's tools there", e.kubectl("exec", "execs", "-c", "shell", "--", "mayfly", "probe"), "the sidecar")
	_, errs, err = e.tryKubectl("exec", "execs", "-c", "main", "--", "mayfly", "probe")
	if err == nil {
		e.Error("mayfly's tools are in containers that are no sidecars")
	}
	e.contains("why they are not", errs, `exec: "mayfly": executable file not found`)
}

func kubectlAttach(e *env) {
	e.apply(podOf("attached", "", guest("side", "stderr", "PORT=8080"), mainWaits()))
	e.ready("attached")
	cmd := e.command("attach", "attached", "-c", "side")
	out, err := cmd.StderrPipe()
	e.check(err)
	e.check(cmd.Start())
	seen := make(chan string)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			select {
			case seen <- lines.Text():
			case <-e.ctx.Done():
				return
			}
		}
	}()
	var text strings.Builder
	e.eventually("what the guest writes is seen", func() bool {
		e.get("attached", "http://localhost:8080/")
		select {
		case line := <-seen:
			text.WriteString(line + "\n")
		default:
		}
		return strings.Contains(text.String(), "second line")
	})
	_ = cmd.Process.Kill()
	go func() {
		for range seen {
		}
	}()
	<-done
	_ = cmd.Wait()
	close(seen)
	e.contains("who is attached ends nobody", e.get("attached", "http://localhost:8080/"), "")
}

func kubectlCopy(e *env) {
	e.apply(podOf("copied", "", guest("side", "hello", "PORT=8080"), shell))
	e.ready("copied")
	file := filepath.Join(e.TempDir(), "file")
	e.check(os.WriteFile(file, []byte("copied\n"), 0o644))
	_, errs, err := e.tryKubectl("cp", file, "copied:/tmp/file", "-c", "side")
	if err == nil {
		e.Error("a file was copied without tar")
	}
	e.contains("kubectl's words", errs, `exec: "tar": executable file not found`)
	e.copies("copied", "shell", file)
}

// copies copies a file into a container and out of it again.
func (e *env) copies(pod, container, file string) {
	e.Helper()
	back := filepath.Join(e.TempDir(), "back")
	e.kubectl("cp", file, pod+":/tmp/file", "-c", container)
	e.kubectl("cp", pod+":/tmp/file", back, "-c", container)
	want, err := os.ReadFile(file)
	e.check(err)
	text, err := os.ReadFile(back)
	e.check(err)
	e.equal("the copy of the copy", string(text), string(want))
}

func kubectlDescribe(e *env) {
	e.apply(podOf("described", "", guest("side", "hello", "PORT=8080", "readinessProbe: {exec: {command: [mayfly, probe]}"+often+"}"), mainWaits()))
	e.ready("described")
	var text string
	e.eventually("kubelet's last event is there", func() bool { // it is sent when the pod is Ready already
		text = e.kubectl("describe", "pod", "described")
		return strings.Contains(text, "Container started")
	})
	e.contains("kubectl describe", text, "mayfly", "Running", "Readiness:", "exec [mayfly probe]")
	if strings.Contains(text, "Warning") {
		e.Errorf("there are warnings:\n%s", text)
	}
	e.equal("the phase", e.pod("described").Status.Phase, corev1.PodRunning)
}
