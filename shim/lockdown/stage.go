//go:build linux

package lockdown

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// StageVariable is in the environment of a process that is to call [Stage] and do nothing else.
const StageVariable = "MAYFLY_LOCKDOWN_STAGE"

// exitStage is the exit status of a stage that could not lock itself in.
const exitStage = 125

// limits are a process's that it does not choose by its job.
var limits = map[int]uint64{
	unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: 256, unix.RLIMIT_NPROC: maxProcesses, unix.RLIMIT_MEMLOCK: 0, unix.RLIMIT_MSGQUEUE: 0,
}

// Stage is the inside of [Run]. It returns the exit status of a process that could not become the program.
func Stage(args []string, stderr io.Writer) int {
	// All that follows is the thread's that executes the program in the end.
	runtime.LockOSThread()
	err := stage(args)
	fmt.Fprintln(stderr, "lock the process down:", err)
	return exitStage
}

func stage(args []string) error {
	if len(args) < 3 {
		return errors.New("it is run by the shim, not by hand")
	}
	user, userErr := strconv.Atoi(args[0])
	memory, memoryErr := strconv.ParseUint(args[1], 10, 63)
	seconds, secondsErr := strconv.ParseUint(args[2], 10, 32)
	if err := errors.Join(userErr, memoryErr, secondsErr); err != nil {
		return err
	}
	if err := waitForGate(); err != nil {
		return err
	}
	// The first to go when the node has no memory left. Where that cannot be said, it is one among others.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	if err := enterRoot(); err != nil {
		return err
	}
	if err := limit(memory, seconds); err != nil {
		return err
	}
	if err := dropPrivileges(user); err != nil {
		return err
	}
	return execute(args[3:], memory)
}

// waitForGate waits until the shim has prepared everything.
func waitForGate() error {
	var b [1]byte
	n, err := unix.Read(gateFd, b[:])
	if err == nil && n == 0 {
		err = errors.New("the shim is gone")
	}
	return err
}

// enterRoot makes the empty file system the root directory, and lets go of the node's.
func enterRoot() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// Any directory serves to be mounted on for a moment, and this one is everywhere.
	const place = "/proc"
	if err := unix.MoveMount(rootFd, "", unix.AT_FDCWD, place, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("mount the root: %w", err)
	}
	if err := unix.Chdir(place); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change the root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount what was the root: %w", err)
	}
	return unix.Chdir("/")
}

func limit(memory, seconds uint64) error {
	set := func(what int, value uint64) error {
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("set limit %d to %d: %w", what, value, err)
		}
		return nil
	}
	for what, value := range limits {
		if err := set(what, value); err != nil {
			return err
		}
	}
	// Not address space nor data: an engine reserves gibibytes for an instance that uses little.
	return errors.Join(set(unix.RLIMIT_FSIZE, memory/2), set(unix.RLIMIT_CPU, seconds))
}

// lastCap is above all capabilities there are; what the kernel does not know it says.
const lastCap = 63

func dropPrivileges(user int) error {
	for c := range uintptr(lastCap) {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
			if errors.Is(err, unix.EINVAL) {
				break
			}
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	if err := unix.Setgroups(nil); err != nil {
		return fmt.Errorf("drop all groups: %w", err)
	}
	if err := unix.Setresgid(user, user, user); err != nil {
		return fmt.Errorf("become group %d: %w", user, err)
	}
	if err := unix.Setresuid(user, user, user); err != nil {
		return fmt.Errorf("become user %d: %w", user, err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	// Another user is not told any more of the shim's end: ask again, and see whether it has been meanwhile.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	gate := []unix.PollFd{{Fd: gateFd}}
	if _, err := unix.Poll(gate, 0); err != nil || gate[0].Revents != 0 {
		return errors.New("the shim is gone")
	}
	return nil
}

// execute becomes the program.
func execute(args []string, memory uint64) error {
	for _, fd := range []int{gateFd, rootFd, programFd} {
		unix.CloseOnExec(fd)
	}
	if err := unix.CloseRange(InputFd+1, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("close descriptors: %w", err)
	}
	argv, err := syscall.SlicePtrFromStrings(append([]string{stageName}, args...))
	if err != nil {
		return err
	}
	// The collector works harder before a limit is hit.
	env, err := syscall.SlicePtrFromStrings([]string{fmt.Sprintf("GOMEMLIMIT=%d", memory/10*7), "GOTRACEBACK=none"})
	if err != nil {
		return err
	}
	if err := filterCalls(); err != nil {
		return fmt.Errorf("filter system calls: %w", err)
	}
	empty := [1]byte{}
	_, _, errno := unix.RawSyscall6(unix.SYS_EXECVEAT, programFd, uintptr(unsafe.Pointer(&empty)), uintptr(unsafe.Pointer(&argv[0])),
		uintptr(unsafe.Pointer(&env[0])), unix.AT_EMPTY_PATH, 0)
	return fmt.Errorf("execute the program: %w", errno)
}
