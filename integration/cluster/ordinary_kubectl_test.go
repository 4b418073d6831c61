//go:build linux

package cluster

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/console"
)

var ordinaryKubectlScenarios = []scenario{
	{"kubectl logs follows an ordinary container, and knows its lines before a restart", ordinaryLogs, ordinary},
	{"kubectl exec has a terminal of the size of its own", ordinaryTerminal, ordinary},
	{"kubectl attach is the standard input and output of an ordinary container", ordinaryAttach, ordinary},
	{"kubectl cp copies into an ordinary container and out of it", ordinaryCopy, ordinary},
}

func ordinaryLogs(e *env) {
	until := func(file string) string { return "until [ -e " + file + " ]; do sleep 0.1; done; " }
	e.apply(podOf("p", "", runs("main", "echo first; "+until("/tmp/more")+"echo second >&2; "+until("/tmp/end")+"exit 3"),
		runs("other", "echo another; "+waits)))
	e.ready("p")
	e.eventually("there is a log", func() bool { return e.logs("p", "main") == "first\n" })
	e.follows("p", "main", "second", func() { e.sh("p", "touch /tmp/more") })
	e.equal("the other's log", e.kubectl("logs", "p", "-c", "other"), "another\n")
	e.sh("p", "touch /tmp/end")
	e.eventually("it is started again", func() bool { return e.restarted(e.pod("p"), "main") == 1 })
	e.eventually("the log before is kept, and another is begun", func() bool {
		before, _, _ := e.tryKubectl("logs", "p", "-c", "main", "--previous") // which may not be there yet
		return before == "first\nsecond\n" && e.logs("p", "main") == "first\n"
	})
}

func ordinaryTerminal(e *env) {
	e.apply(podOf("p", "", mainWaits()))
	e.ready("p")
	ours, theirs, err := console.NewPty()
	e.check(err)
	defer ours.Close()
	e.check(ours.Resize(console.WinSize{Width: 101, Height: 37}))
	terminal, err := os.OpenFile(theirs, os.O_RDWR, 0)
	e.check(err)
	cmd := e.command("exec", "-it", "p", "-c", "main", "--", "sh", "-c",
		`until [ "$(stty size)" = "37 101" ]; do sleep 0.1; done; tty; read line; echo "said $line"; exit 7`)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	err = cmd.Start()
	terminal.Close()
	e.check(err)
	_, err = ours.Write([]byte("something\n"))
	e.check(err)
	text, _ := io.ReadAll(ours) // until nobody has the terminal, which is an error
	_ = cmd.Wait()
	e.contains("what is on the terminal", string(text), "/dev/pts/", "said something\r\n")
	e.equal("the exit code", cmd.ProcessState.ExitCode(), 7)
}

func ordinaryAttach(e *env) {
	e.apply(podOf("p", never, runs("main", "exec cat", "stdin: true", "stdinOnce: true")))
	e.eventually("the container runs", func() bool { return e.container(e.pod("p"), "main").State.Running != nil })
	cmd := e.command("attach", "-i", "-q", "p", "-c", "main")
	cmd.Stdin = strings.NewReader("what is said\n")
	out, err := cmd.Output()
	e.check(err)
	e.equal("what it says", string(out), "what is said\n")
	e.succeeds("p")
	e.equal("the log", e.logs("p", "main"), "what is said\n")
}

func ordinaryCopy(e *env) {
	e.apply(podOf("p", "", mainWaits()))
	e.ready("p")
	file := filepath.Join(e.TempDir(), "file")
	e.check(os.WriteFile(file, []byte(strings.Repeat("a line\n", 100_000)), 0o644))
	e.copies("p", "main", file)
}
