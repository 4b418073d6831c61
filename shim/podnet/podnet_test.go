//go:build linux

package podnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// newContainer starts a process in a network namespace of its own and returns its directory in /proc.
func newContainer(t *testing.T) *os.File {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: enters network namespaces")
	}
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if err := cmd.Start(); err != nil {
		t.Skip("needs network namespaces:", err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	process, err := os.Open(fmt.Sprintf("/proc/%d", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.Close() })
	if err := inNetwork(process, raiseLoopback); err != nil {
		t.Fatal(err)
	}
	return process
}

func inNetwork(process *os.File, f func() error) error {
	return onOwnThread(func() error {
		if err := enterNetwork(process); err != nil {
			return err
		}
		return f()
	})
}

// raiseLoopback does what the pod network's plugin does: before, the namespace has no local addresses that bind could refuse.
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

func newPod(t *testing.T) *Pod {
	t.Helper()
	p := NewPod(func(_ context.Context, inode uint64) string {
		budget := 1000
		if HasSocket(os.Getpid(), inode, &budget) {
			return "the-test"
		}
		return ""
	})
	t.Cleanup(p.Close)
	return p
}

func tcp4(host string, port int) config.Address {
	return config.Address{Network: "tcp4", Host: host, Port: port}
}

func TestSocketsAreBoundInThePodAndNotHere(t *testing.T) {
	process := newContainer(t)
	p := newPod(t)
	files, err := p.Listen(t.Context(), Owner{ID: "a", Process: process}, []config.Address{tcp4("0.0.0.0", 8080)})
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if inode := listenerInode(process, tcp4("127.0.0.1", 8080)); inode == 0 {
		t.Error("nobody listens in the pod")
	}
	self, err := os.Open("/proc/self")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	if inode := listenerInode(self, tcp4("127.0.0.1", 8080)); inode != 0 {
		t.Error("somebody listens here")
	}
}

func TestASocketIsKeptForTheSuccessor(t *testing.T) {
	process := newContainer(t)
	p := newPod(t)
	address := []config.Address{tcp4("0.0.0.0", 8080)}
	first, err := p.Listen(t.Context(), Owner{ID: "a", Process: process}, address)
	if err != nil {
		t.Fatal(err)
	}
	p.Release("a")
	second, err := p.Listen(t.Context(), Owner{ID: "b", Process: process}, address)
	if err != nil {
		t.Fatal(err)
	}
	if first[0] != second[0] {
		t.Error("the successor got another socket")
	}
	p.Release("b")
	if _, err := p.Listen(t.Context(), Owner{ID: "c", Process: process}, []config.Address{tcp4("127.0.0.2", 8080)}); err != nil {
		t.Errorf("a socket nobody owns is in the way: %v", err)
	}
}

func TestWhoIsInTheWayIsNamed(t *testing.T) {
	process := newContainer(t)
	p := newPod(t)
	if _, err := p.Listen(t.Context(), Owner{ID: "1", Name: "time", Process: process}, []config.Address{tcp4("0.0.0.0", 8080)}); err != nil {
		t.Fatal(err)
	}
	_, err := p.Listen(t.Context(), Owner{ID: "2", Name: "auth", Process: process}, []config.Address{tcp4("0.0.0.0", 8081), tcp4("127.0.0.1", 8080)})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), `sidecar "time"`) {
		t.Errorf("got %v", err)
	}
	// The half that worked is given back.
	if _, err := p.Listen(t.Context(), Owner{ID: "3", Process: process}, []config.Address{tcp4("0.0.0.0", 8081)}); err != nil {
		t.Errorf("8081 is still taken: %v", err)
	}
}

func TestAMainContainerInTheWayIsNamed(t *testing.T) {
	process := newContainer(t)
	p := newPod(t)
	var theirs *os.File
	err := inNetwork(process, func() (err error) {
		theirs, err = bindTCP(tcp4("0.0.0.0", 8080))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	_, err = p.Listen(t.Context(), Owner{ID: "2", Process: process}, []config.Address{tcp4("0.0.0.0", 8080)})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), `container "the-test"`) {
		t.Errorf("got %v", err)
	}
}

func TestTheNodeInTheWayIsNamed(t *testing.T) {
	theirs, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	process, err := os.Open("/proc/self")
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	p := NewPod(func(context.Context, uint64) string { return "" })
	defer p.Close()
	_, err = p.Listen(t.Context(), Owner{ID: "1", Process: process}, []config.Address{tcp4("127.0.0.1", theirs.Addr().(*net.TCPAddr).Port)})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "a program of the node has it") {
		if errors.Is(err, unix.EPERM) {
			t.Skip("needs root: enters network namespaces")
		}
		t.Errorf("got %v", err)
	}
}

func TestAnAddressThatIsNotThePods(t *testing.T) {
	process := newContainer(t)
	p := newPod(t)
	_, err := p.Listen(t.Context(), Owner{ID: "a", Process: process}, []config.Address{tcp4("192.0.2.1", 8080)})
	if !errors.Is(err, ErrNoAddress) || !strings.Contains(err.Error(), "localhost:PORT") {
		t.Errorf("got %v", err)
	}
	files, err := p.Listen(t.Context(), Owner{ID: "a", Process: process}, []config.Address{
		tcp4("0.0.0.0", 8080), {Network: "tcp6", Host: "fd00::1", Port: 8080, Optional: true}})
	if err != nil || len(files) != 1 {
		t.Errorf("got %v, %v", files, err)
	}
}

func TestASocketThatWasShutDownIsNotPassedOn(t *testing.T) {
	process := newContainer(t)
	p := newPod(t)
	address := []config.Address{tcp4("0.0.0.0", 8080)}
	first, err := p.Listen(t.Context(), Owner{ID: "a", Process: process}, address)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Shutdown(int(first[0].Fd()), unix.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	p.Release("a")
	second, err := p.Listen(t.Context(), Owner{ID: "b", Process: process}, address)
	if err != nil || !listening(second[0]) {
		t.Errorf("the successor got a socket that does not listen: %v", err)
	}
}

func TestASidecarThatNeverRanLeavesNoSocket(t *testing.T) {
	process := newContainer(t)
	p := newPod(t)
	address := []config.Address{tcp4("0.0.0.0", 8080)}
	if _, err := p.Listen(t.Context(), Owner{ID: "a", Process: process}, address); err != nil {
		t.Fatal(err)
	}
	p.Abandon("a")
	if listenerInode(process, address[0]) != 0 {
		t.Error("somebody listens")
	}
	if _, err := p.Listen(t.Context(), Owner{ID: "b", Process: process}, address); err != nil {
		t.Fatal(err)
	}
	p.Release("b")
	if _, err := p.Listen(t.Context(), Owner{ID: "c", Process: process}, address); err != nil {
		t.Fatal(err)
	}
	p.Abandon("c")
	if listenerInode(process, address[0]) == 0 {
		t.Error("what b has left is gone, with the connections that wait there")
	}
}

func TestTheSocketTableIsRead(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F91 00000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 00000000000000000000000000000000:1F92 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 4713
  nonsense
   3: zz:1F93 0:0 0A 0 0 0 0 0 1
`
	for _, tc := range []struct {
		host string
		port int
		want uint64
	}{
		{"127.0.0.1", 0x1f90, 4711},
		{"0.0.0.0", 0x1f90, 4711},
		{"127.0.0.2", 0x1f90, 0},
		{"127.0.0.1", 0x1f91, 0},
		{"::1", 0x1f92, 4713},
		{"127.0.0.1", 0x1f93, 0},
	} {
		t.Run(fmt.Sprint(tc.host, " ", tc.port), func(t *testing.T) {
			if got := findListener(strings.NewReader(table), netip.MustParseAddr(tc.host), tc.port); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func FuzzFindListener(f *testing.F) {
	f.Add("   0: 0100007F:1F90 00000000:0000 0A 0 0 0 0 0 4711")
	f.Fuzz(func(t *testing.T, table string) {
		findListener(io.Reader(strings.NewReader(table)), netip.MustParseAddr("127.0.0.1"), 8080)
	})
}
