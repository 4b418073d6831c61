//go:build linux

package peers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// Usage is what a server and all it started use of the machine.
type Usage struct {
	Processes int
	lab.Memory
	CPU time.Duration // since the start
}

// tick is how long a clock tick of /proc/PID/stat is: USER_HZ is 100 everywhere.
const tick = 10 * time.Millisecond

// Usage reads it. It walks the page tables: not while a latency is measured.
func (p *Process) Usage() (Usage, error) {
	return p.sum(func(pid int, u *Usage) error {
		m, err := lab.MemoryOf(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		u.RSS += m.RSS
		u.PSS += m.PSS
		u.Private += m.Private
		u.Own += m.Own
		return err
	})
}

// CPU is the processor time since the start, which costs little to ask.
func (p *Process) CPU() (time.Duration, error) {
	u, err := p.sum(nil)
	return u.CPU, err
}

func (p *Process) sum(each func(pid int, u *Usage) error) (Usage, error) {
	var u Usage
	all, err := tree(p.cmd.Process.Pid)
	if err != nil {
		return u, fmt.Errorf("read what %s uses: %w", p.Server.Name, err)
	}
	for _, s := range all {
		if s.name == p.Server.Launcher {
			continue
		}
		if each != nil {
			if err := each(s.pid, &u); errors.Is(err, os.ErrNotExist) {
				continue // it has just ended
			} else if err != nil {
				return u, err
			}
		}
		u.Processes++
		u.CPU += s.cpu
	}
	if u.Processes == 0 {
		return u, fmt.Errorf("read what %s uses: it has no process: see its log", p.Server.Name)
	}
	return u, nil
}

// stat is a line of /proc/PID/stat.
type stat struct {
	pid, parent int
	name        string
	cpu         time.Duration
}

// tree is the process and all that it and they have started.
func tree(root int) ([]stat, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]stat{}
	var found []stat
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it has just ended
		}
		s, err := parseStat(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		if s.pid == root {
			found = append(found, s)
		}
		children[s.parent] = append(children[s.parent], s)
	}
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i].pid]...)
	}
	return found, nil
}

// parseStat reads a line. The name is in parentheses and may have some itself.
func parseStat(line string) (stat, error) {
	var s stat
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return s, errors.New("no name in parentheses")
	}
	s.name = line[open+1 : end]
	pid, err := strconv.Atoi(strings.TrimSpace(line[:open]))
	if err != nil {
		return s, err
	}
	s.pid = pid
	fields := strings.Fields(line[end+1:]) // from the state, the third, on
	if len(fields) < 13 {
		return s, fmt.Errorf("%d fields after the name", len(fields))
	}
	if s.parent, err = strconv.Atoi(fields[1]); err != nil {
		return s, err
	}
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return s, err
		}
		s.cpu += time.Duration(n) * tick
	}
	return s, nil
}
