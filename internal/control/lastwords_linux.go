package control

import (
	"strings"

	"golang.org/x/sys/unix"
)

// terminationLog is where kubelet looks for why a container has ended, unless its pod names another file; tests name another.
var terminationLog = "/dev/termination-log"

// maxLastWords bounds what is written there, in bytes: kubelet reads 4 KiB.
const maxLastWords = 2 << 10

// LastWords says why the container is about to end where kubectl describe shows it. Outside of Kubernetes there is no such file. Nothing
// can be done about an error, and the container's log says the same.
func LastWords(text string) {
	fd, err := unix.Open(terminationLog, unix.O_WRONLY|unix.O_TRUNC|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	_, _ = unix.Write(fd, []byte(legible(text[:min(len(text), maxLastWords)])))
	unix.Close(fd)
}

// legible is text without what moves a terminal's cursor or is no UTF-8: a guest has a say in it.
func legible(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r >= 0x7f && r <= 0x9f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}
