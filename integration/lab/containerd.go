//go:build linux

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// Socket is where containerd listens in every node.
const Socket = "/run/containerd/containerd.sock"

// AbsentRuntime is a runtime that containerd is configured for and whose shim is not installed.
const AbsentRuntime = "absent"

// PauseImage is what keeps a pod's namespaces; see Cache.Pause.
const PauseImage = "localhost/mayfly/pause:1"

// Containerd is one containerd in a node. It is started, killed and started
// again over one root, as on a machine.
type Containerd struct {
	Node    *Node
	Install *Install

	DefaultRuntime string // of pods that ask for none
	Network        string // configuration of the pods' network, a CNI list

	mayfly string // directory with mayfly's shim
	daemon *Daemon
}

// Configuration version 2 is read by containerd 1.6 and all later ones.
//
// The score of the out-of-memory killer is left alone because root may lack
// CAP_SYS_RESOURCE where this runs, and then no container could be started.
var configuration = template.Must(template.New("containerd.toml").Parse(`version = 2
root = "{{.Node.Dir}}/data/containerd"
state = "/run/containerd"
[grpc]
  address = "` + Socket + `"
[plugins."io.containerd.internal.v1.opt"]
  path = "{{.Node.Dir}}/data/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + PauseImage + `"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{{.Install.CNI}}"
    conf_dir = "{{.Node.Dir}}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "{{.DefaultRuntime}}"
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.mayfly]
      runtime_type = "io.containerd.mayfly.v1"
      pod_annotations = ["mayfly.run/*"]
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.` + AbsentRuntime + `]
      runtime_type = "io.containerd.absent.v1"
`))

const pods = `{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true, "ipam": {
    "type": "host-local", "dataDir": "/run/cni-ipam", "ranges": [[{"subnet": "10.88.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
`

// StartContainerd starts containerd in the node and waits until it serves.
// mayfly is the directory with mayfly's shim. What change says is otherwise
// as for tests without Kubernetes.
func (n *Node) StartContainerd(ctx context.Context, i *Install, mayfly string, change ...func(*Containerd)) (*Containerd, error) {
	c := &Containerd{Node: n, Install: i, DefaultRuntime: "runc", Network: pods, mayfly: mayfly}
	for _, f := range change {
		f(c)
	}
	return c, c.Start(ctx)
}

// configure writes what containerd reads when it starts.
func (c *Containerd) configure() error {
	var text bytes.Buffer
	if err := configuration.Execute(&text, c); err != nil {
		return err
	}
	if err := os.WriteFile(c.Node.Path("containerd.toml"), text.Bytes(), 0o644); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Node.Path("cni"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(c.Node.Path("cni/pods.conflist"), []byte(c.Network), 0o644)
}

// Start starts it again after Kill, of another Install if that was changed.
func (c *Containerd) Start(ctx context.Context) error {
	if err := c.configure(); err != nil {
		return fmt.Errorf("configure containerd: %w", err)
	}
	log, err := os.OpenFile(c.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(c.Install.Lookup("containerd"), "-c", c.Node.Path("containerd.toml"))
	cmd.Env = c.Env()
	cmd.Stdout, cmd.Stderr = log, log
	if c.daemon, err = c.Node.StartDaemon(cmd); err != nil {
		return fmt.Errorf("start containerd %s: %w", c.Install.Version, err)
	}
	if err := c.ready(ctx); err != nil {
		return fmt.Errorf("start containerd %s: %w; its log ends:\n%s", c.Install.Version, err, c.logTail())
	}
	return nil
}

// logTail is the end of containerd's log, which goes with the node.
func (c *Containerd) logTail() string {
	const enough = 2000
	b, err := os.ReadFile(c.Log())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-enough):])
}

// ready waits for an answer from the CRI service, which is the last to come up.
func (c *Containerd) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Patience(30*time.Second))
	defer cancel()
	for {
		cri, err := c.CRI()
		if err == nil {
			err = cri.Ready(ctx)
			cri.Close()
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Kill ends containerd as a crash would, leaving shims and containers.
func (c *Containerd) Kill() { c.daemon.Kill() }

// Log is containerd's log file, with the lines shims write.
func (c *Containerd) Log() string { return c.Node.Path("log/containerd.log") }

// Pid is containerd's, as the machine counts.
func (c *Containerd) Pid() int { return c.daemon.Pid() }

// Env is the environment of commands in the node.
func (c *Containerd) Env() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PATH=") {
			env = append(env, kv)
		}
	}
	// Mayfly's directory comes first, then containerd's and runc's.
	path := append(append([]string{c.mayfly}, c.Install.Path...), os.Getenv("PATH"))
	return append(env, "CONTAINERD_ADDRESS="+Socket, "PATH="+strings.Join(path, string(filepath.ListSeparator)))
}

// Command is a command of the node's, such as ctr, found where containerd
// finds its own.
func (c *Containerd) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Install.Lookup(name), args...)
	cmd.Env = c.Env()
	return cmd
}

// Ctr runs ctr and returns what it prints.
func (c *Containerd) Ctr(ctx context.Context, args ...string) (string, error) {
	cmd := c.Command(ctx, "ctr", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := c.Node.Run(cmd); err != nil {
		return out.String(), fmt.Errorf("ctr %s: %w: %s", strings.Join(args, " "), err, tail(errs.String(), 5))
	}
	return out.String(), nil
}

// Import makes the images in an archive known to the CRI service, and waits
// until it knows them: it hears of them by an event.
func (c *Containerd) Import(ctx context.Context, archive string) error {
	// Only containerd itself can say that an archive is stored; unpacking is
	// left to the first container.
	args := []string{"-n", "k8s.io", "images", "import", "--no-unpack", archive}
	if !strings.HasPrefix(c.Install.Version, "1.") {
		args = []string{"-n", "k8s.io", "images", "import", "--local", "--no-unpack", archive}
	}
	_, err := c.Ctr(ctx, args...)
	return err
}

// Dial opens a connection to a socket in the node.
func (n *Node) Dial(ctx context.Context, path string) (net.Conn, error) {
	if !filepath.IsAbs(path) {
		return nil, errors.New("dial: not an absolute path")
	}
	var d net.Dialer
	return d.DialContext(ctx, "unix", n.Root()+path)
}
