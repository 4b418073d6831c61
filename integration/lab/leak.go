//go:build linux

package lab

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Snapshot is everything a container can leave behind, a line each: processes,
// mounts, cgroups, descriptors of shims, and all of /run, in which containerd,
// runc and CNI keep sockets, bundles, states, namespaces and addresses.
type Snapshot []string

// Snapshot looks at the node now.
func (n *Node) Snapshot() (Snapshot, error) {
	var s Snapshot
	for _, look := range []func() ([]string, error){n.processes, n.mounts, n.cgroups, n.runFiles, n.unixSockets} {
		lines, err := look()
		if err != nil {
			return nil, fmt.Errorf("look for what is left: %w", err)
		}
		s = append(s, lines...)
	}
	slices.Sort(s)
	return s, nil
}

// Settled waits until nothing comes or goes any more, and takes a snapshot.
func (n *Node) Settled() (Snapshot, error) {
	before, err := n.Snapshot()
	for range 100 {
		time.Sleep(20 * time.Millisecond)
		after, err := n.Snapshot()
		if err != nil || slices.Equal(before, after) {
			return after, err
		}
		before = after
	}
	return before, err
}

// Leaks waits a moment for the node to be as it was before, and returns what
// is different if it does not get there: "+" is left over, "-" is missing.
func (n *Node) Leaks(before Snapshot) ([]string, error) {
	begin := time.Now()
	for {
		after, err := n.Snapshot()
		if err != nil {
			return nil, err
		}
		diff := before.diff(after)
		enough := Patience(5 * time.Second)
		if !slices.ContainsFunc(diff, func(l string) bool { return !strings.HasSuffix(l, pidfd) }) {
			enough = collected
		}
		if len(diff) == 0 || time.Since(begin) > enough {
			return diff, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Go closes the descriptor by which it knows a process when it collects
// garbage, and an idle shim does so twice a minute.
const (
	pidfd     = "anon_inode:[pidfd]"
	collected = 40 * time.Second
)

func (s Snapshot) diff(after Snapshot) []string {
	count := map[string]int{}
	for _, l := range s {
		count[l]--
	}
	for _, l := range after {
		count[l]++
	}
	var diff []string
	for l, c := range count {
		if c < 0 && strings.HasPrefix(l, "descriptor") {
			continue // fewer than before are no leak
		}
		for ; c > 0; c-- {
			diff = append(diff, "+ "+l)
		}
		for ; c < 0; c++ {
			diff = append(diff, "- "+l)
		}
	}
	slices.Sort(diff)
	return diff
}

// Process is one process of the node.
type Process struct {
	Pid  int // as the node counts
	Args []string
}

// Processes lists the node's, without those that have ended but are not yet
// waited for.
func (n *Node) Processes() ([]Process, error) {
	var ps []Process
	entries, err := os.ReadDir(n.Root() + "/proc")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscanf(e.Name(), "%d", &pid); err != nil {
			continue
		}
		text, err := os.ReadFile(n.Proc(pid, "cmdline"))
		if err != nil || len(text) == 0 {
			continue
		}
		ps = append(ps, Process{pid, strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")})
	}
	return ps, nil
}

// Proc is the path of a file of /proc/PID, where PID is as the node counts.
func (n *Node) Proc(pid int, name string) string {
	return filepath.Join(n.Root(), "proc", fmt.Sprint(pid), name)
}

// inode tells a socket or pipe from another, which is of no interest here.
var inode = regexp.MustCompile(`:\[\d+\]`)

// passing are commands that kube-proxy and kubelet run now and then, for a moment.
var passing = regexp.MustCompile(`(^|/)(nft|conntrack|ip6?tables(-[a-z-]+)?)$`)

func (n *Node) processes() ([]string, error) {
	ps, err := n.Processes()
	var lines []string
	for _, p := range ps {
		if passing.MatchString(p.Args[0]) {
			continue
		}
		lines = append(lines, "process "+strings.Join(p.Args, " "))
		if !strings.Contains(p.Args[0], "shim") {
			continue
		}
		fds, err := os.ReadDir(n.Proc(p.Pid, "fd"))
		if err != nil {
			continue // it has just ended
		}
		for _, fd := range fds {
			if to, err := os.Readlink(n.Proc(p.Pid, "fd/"+fd.Name())); err == nil {
				lines = append(lines, fmt.Sprintf("descriptor of %s: %s", filepath.Base(p.Args[0]), inode.ReplaceAllString(to, "")))
			}
		}
	}
	return lines, err
}

func (n *Node) mounts() ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", n.Pid()))
	var lines []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 4 {
			lines = append(lines, "mount "+f[4])
		}
	}
	return lines, err
}

func (n *Node) cgroups() ([]string, error) {
	hs, err := hierarchies()
	var lines []string
	for _, h := range hs {
		root := filepath.Join(h.mount, n.cgroup)
		for _, d := range dirs(root) {
			if !parent.MatchString(strings.TrimPrefix(d, root)) {
				lines = append(lines, "cgroup "+d)
			}
		}
	}
	return lines, err
}

// parent are the cgroups containers are in: those of pods, which are kubelet's
// to make and remove where there is one, that of ctr's, and those kubelet keeps
// its pods' in.
var parent = regexp.MustCompile(`^/(pods(/[^/]*)?|k8s\.io|kubepods(/(burstable|besteffort))?)$`)

// settled are files that are made once and stay, whoever was here first.
var settled = regexp.MustCompile(`^/run/(cni-ipam(/pods(/(last_reserved_ip.*|lock))?)?|netns|containerd/(s|runc|fifo|runc/[^/]*|io\.containerd\.[^/]*|io\.containerd\.[^/]*/[^/]*)|mayfly|runc|runc/[^/]*)$`)

func (n *Node) runFiles() ([]string, error) {
	var lines []string
	root := n.Root()
	err := filepath.WalkDir(root+"/run", func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, root)
		if err != nil || settled.MatchString(name) {
			return nil
		}
		if d.IsDir() && d.Name() == "rootfs" {
			lines = append(lines, "file "+name)
			return fs.SkipDir // what a container sees is not ours to count
		}
		lines = append(lines, "file "+name)
		return nil
	})
	return lines, err
}

// unixSockets lists sockets that listen or have a name, as a shim's do that
// are in no directory any more. Connections come and go and are not listed.
func (n *Node) unixSockets() ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/unix", n.Pid()))
	var lines []string
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		const listening = "00010000"
		if len(f) == 8 && f[3] == listening {
			lines = append(lines, "socket "+f[7])
		}
	}
	return lines, err
}
