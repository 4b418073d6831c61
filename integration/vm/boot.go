//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mayfly-run/mayfly/integration/vm/job"
)

// machine is a virtual machine that is ready to boot.
type machine struct {
	kernel, initrd, root, payload string
	settings
}

// console is where the kernel's own words are.
const console = "out/vm/console.log"

// boot runs the machine until it switches itself off, and prints what the tests
// do. The error is an exitCode when they fail.
func (m *machine) boot(ctx context.Context, stdout io.Writer) error {
	if err := os.MkdirAll(filepath.Dir(console), 0o755); err != nil {
		return err
	}
	disk := func(path string) string { return "if=virtio,format=raw,cache=unsafe,snapshot=on,file=" + path }
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-M", "q35", "-accel", m.accel, "-cpu", "max", "-smp", "2", "-m", strconv.Itoa(m.memory),
		"-display", "none", "-no-reboot", "-nic", "none", "-serial", "file:"+console, "-serial", "stdio",
		"-kernel", m.kernel, "-initrd", m.initrd, "-append", "console=ttyS0 panic=-1 quiet mitigations=off",
		"-drive", disk(m.root), "-drive", disk(m.payload))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the virtual machine: %w", err)
	}
	code, readErr := follow(out, stdout)
	if err := errors.Join(readErr, cmd.Wait(), ctx.Err()); err != nil {
		return fmt.Errorf("run the virtual machine: %w; what its kernel said is in %s", err, console)
	}
	if code != 0 {
		return exitCode(code)
	}
	return nil
}

// errNoEnd is when the machine was off before the tests had an end.
var errNoEnd = errors.New("it ended before the tests did")

// mark is in front of the lines of the testing package's own when it is asked
// to be read by a program. It is asked because it then says at once what came
// of a test that has a parent.
const mark = "\x16"

// follow copies what the machine prints, but for the last line, which is the
// exit code of the tests.
func follow(from io.Reader, to io.Writer) (code int, err error) {
	r := bufio.NewReader(from)
	err = errNoEnd
	for {
		line, readErr := r.ReadString('\n')
		text := strings.TrimPrefix(strings.TrimRight(line, "\r\n"), mark)
		if number, is := strings.CutPrefix(text, job.ExitPrefix); is {
			if code, err = strconv.Atoi(number); err != nil {
				err = fmt.Errorf("read the exit code: %w", err)
			}
		} else if line != "" {
			if _, err := fmt.Fprintln(to, text); err != nil {
				return 0, err
			}
		}
		if errors.Is(readErr, io.EOF) {
			return code, err
		}
		if readErr != nil {
			return 0, readErr
		}
	}
}
