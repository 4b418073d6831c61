//go:build linux

package podnet

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/config"
)

// maxSocketTable bounds how much of a pod's socket table is read, in bytes.
const maxSocketTable = 8 << 20

// listenerInode finds the socket that is in the way of an address, 0 when it cannot.
func listenerInode(process *os.File, a config.Address) uint64 {
	want, err := netip.ParseAddr(a.Host)
	if err != nil {
		return 0
	}
	for _, table := range []string{"tcp", "tcp6"} {
		fd, err := unix.Openat(int(process.Fd()), "net/"+table, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		f := os.NewFile(uintptr(fd), table)
		inode := findListener(io.LimitReader(f, maxSocketTable), want, a.Port)
		f.Close()
		if inode != 0 {
			return inode
		}
	}
	return 0
}

// findListener reads the format of proc_pid_net(5): the second field is the local address, the fourth the state, the tenth the inode.
func findListener(table io.Reader, want netip.Addr, port int) uint64 {
	const listening = "0A"
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != listening {
			continue
		}
		ip, p, ok := parseLocal(fields[1])
		if !ok || p != port {
			continue
		}
		if ip = ip.Unmap(); ip != want && !ip.IsUnspecified() && !want.IsUnspecified() {
			continue
		}
		inode, err := strconv.ParseUint(fields[9], 10, 64)
		if err == nil {
			return inode
		}
	}
	return 0
}

// parseLocal reads an address as the kernel prints it: 32-bit words in the machine's byte order, in hexadecimal.
func parseLocal(s string) (netip.Addr, int, bool) {
	host, port, ok := strings.Cut(s, ":")
	if !ok {
		return netip.Addr{}, 0, false
	}
	b, err := hex.DecodeString(host)
	if err != nil || len(b)%4 != 0 {
		return netip.Addr{}, 0, false
	}
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	ip, ok := netip.AddrFromSlice(b)
	p, err := strconv.ParseUint(port, 16, 16)
	return ip, int(p), ok && err == nil
}

// HasSocket reports whether a process has the socket with that inode open. It looks at no more than budget descriptors and takes
// from budget what it has looked at.
func HasSocket(pid int, inode uint64, budget *int) bool {
	if inode == 0 || *budget <= 0 {
		return false
	}
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	d, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	names, _ := d.Readdirnames(*budget)
	*budget -= len(names)
	want := fmt.Sprintf("socket:[%d]", inode)
	for _, n := range names {
		if target, err := os.Readlink(dir + "/" + n); err == nil && target == want {
			return true
		}
	}
	return false
}
