//go:build linux

package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// path is a file of the cluster's, in the node's directory, which survives a
// reboot.
func (c *Cluster) path(name string) string { return c.Node.Path(filepath.Join("kubernetes", name)) }

// daemon starts one of the programs of Kubernetes in the node. Its log is
// log/NAME.log in the node's directory.
func (c *Cluster) daemon(name string, args ...string) error {
	log, err := os.OpenFile(c.Log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(c.kubernetes.Program(name), args...)
	cmd.Stdout, cmd.Stderr = log, log
	d, err := c.Node.StartDaemon(cmd)
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.daemons[name] = d
	return nil
}

// Log is the log file of a program of Kubernetes, such as kubelet.
func (c *Cluster) Log(name string) string { return c.Node.Path("log/" + name + ".log") }

// kill ends one of the programs as a crash would.
func (c *Cluster) kill(name string) {
	c.mu.Lock()
	d := c.daemons[name]
	delete(c.daemons, name)
	c.mu.Unlock()
	if d != nil {
		d.Kill()
	}
}

// KillKubelet ends kubelet as a crash would; pods go on.
func (c *Cluster) KillKubelet() { c.kill("kubelet") }

// StartKubelet starts it again after KillKubelet.
func (c *Cluster) StartKubelet() error {
	return c.daemon("kubelet", "--config="+c.path("kubelet.yaml"), "--kubeconfig="+c.path("node.conf"),
		"--root-dir="+c.path("kubelet"), "--hostname-override="+NodeName, "--node-ip="+nodeIP4+","+nodeIP6, "--v=2")
}

// StaticPods is the directory whose manifests kubelet runs by itself.
func (c *Cluster) StaticPods() string { return c.path("manifests") }

// prepare makes the node one that kubelet may run in: with both families of
// addresses, with logs where the machine does not see them, and with settings
// of the kernel that kubelet can write and that are not the machine's.
func (c *Cluster) prepare() error {
	script := strings.NewReplacer("DIR", c.path(""), "IP4", nodeIP4, "IP6", nodeIP6).Replace(`
mkdir -p DIR/log
mount --bind DIR/log /var/log
for f in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
	[ -e /proc/sys/$f ] || continue
	mkdir -p DIR/sysctl/${f%/*}
	cat /proc/sys/$f >DIR/sysctl/$f
	mount --bind DIR/sysctl/$f /proc/sys/$f
done
# A user namespace gets a /proc only where one is to be seen with nothing over it.
mkdir -p DIR/proc
mount -t proc proc DIR/proc
[ -e /proc/sys/net/ipv6 ] || { echo this kernel has no IPv6, and pods get addresses of both families; exit 1; }
echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
ip -6 addr add IP6/64 dev node0 nodad
ip -6 route add default dev node0
`)
	cmd := exec.Command("/bin/sh", "-e", "-c", script)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	var text strings.Builder
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := c.Node.Run(cmd); err != nil {
		return fmt.Errorf("prepare the node: %w: %s", err, text.String())
	}
	return nil
}
