package report

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Origin is where figures come from.
type Origin struct {
	Command string    `json:"command"`
	Date    time.Time `json:"date"`
	Commit  string    `json:"commit"`
	CPU     string    `json:"cpu"`
	CPUs    int       `json:"cpus"`
	Memory  string    `json:"memory"`
	System  string    `json:"system"`
	Go      string    `json:"go"`
	Load    string    `json:"load_before"` // of the machine, in the 1, 5 and 15 minutes before
	More    []Fact    `json:"more,omitempty"`
}

// Fact is something else that figures depend on.
type Fact struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Here is this machine and this moment; what cannot be told is "unknown". The working directory must be the repository.
func Here(command string, now time.Time) Origin {
	o := Origin{
		Command: command, Date: now.UTC().Truncate(time.Second), CPUs: runtime.NumCPU(), Go: runtime.Version(),
		Commit: output("git", "describe", "--tags", "--always", "--dirty"),
		System: runtime.GOOS + "/" + runtime.GOARCH + " " + output("uname", "-r"),
		CPU:    entry("/proc/cpuinfo", "model name"),
		Memory: "unknown", Load: "unknown",
	}
	var kib float64
	if _, err := fmt.Sscan(entry("/proc/meminfo", "MemTotal"), &kib); err == nil {
		o.Memory = fmt.Sprintf("%.1f GiB", kib/(1<<20))
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil && len(strings.Fields(string(text))) > 2 {
		o.Load = strings.Join(strings.Fields(string(text))[:3], ", ")
	}
	return o
}

// entry is the value of the first line "name: value" of a file.
func entry(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if text := strings.TrimSpace(string(out)); err == nil && text != "" {
		return text
	}
	return "unknown"
}
