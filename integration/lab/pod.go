//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Pod is a pod sandbox and the containers made in it.
type Pod struct {
	ID     string
	Config *cri.PodSandboxConfig

	cri *CRI
}

// RunPod starts a pod whose containers are run by the runtime class handler,
// "runc" or "mayfly". Changes to the configuration go into change, nil for none.
func (c *CRI) RunPod(ctx context.Context, name, handler string, change func(*cri.PodSandboxConfig)) (*Pod, error) {
	logs := c.containerd.Node.Path(filepath.Join("log", name))
	config := &cri.PodSandboxConfig{
		Metadata:     &cri.PodSandboxMetadata{Name: name, Namespace: "default", Uid: name + "-uid"},
		Hostname:     name,
		LogDirectory: logs,
		DnsConfig:    &cri.DNSConfig{Searches: []string{"cluster.local"}},
		Linux: &cri.LinuxPodSandboxConfig{
			CgroupParent:    "/pods/" + name,
			SecurityContext: &cri.LinuxSandboxSecurityContext{NamespaceOptions: &cri.NamespaceOption{Pid: cri.NamespaceMode_CONTAINER}},
		},
	}
	if change != nil {
		change(config)
	}
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, err
	}
	// kubelet makes a pod's cgroup before it asks for the pod, and removes it
	// after; runc makes it here, and what is left is removed with the pod.
	r, err := c.RunPodSandbox(ctx, &cri.RunPodSandboxRequest{Config: config, RuntimeHandler: handler})
	if err != nil {
		return nil, fmt.Errorf("run pod %s: %w", name, err)
	}
	return &Pod{ID: r.GetPodSandboxId(), Config: config, cri: c}, nil
}

// Remove stops and removes the pod with its containers.
func (p *Pod) Remove(ctx context.Context) error {
	_, err := p.cri.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: p.ID})
	if err != nil {
		return fmt.Errorf("stop pod: %w", err)
	}
	if _, err := p.cri.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: p.ID}); err != nil {
		return fmt.Errorf("remove pod: %w", err)
	}
	return p.cri.containerd.Node.removePodCgroup(p.Config.GetLinux().GetCgroupParent())
}

// Container is a container of a pod.
type Container struct {
	ID  string
	Pod *Pod
	log string
}

// Spec is what a container is made of; the fields scenarios vary most, and
// change for all others.
type Spec struct {
	Name   string
	Image  string
	Args   []string // instead of the image's command
	Env    map[string]string
	Mounts []*cri.Mount
	Change func(*cri.ContainerConfig)
}

// Create makes a container.
func (p *Pod) Create(ctx context.Context, s Spec) (*Container, error) {
	config := &cri.ContainerConfig{
		Metadata: &cri.ContainerMetadata{Name: s.Name},
		Image:    &cri.ImageSpec{Image: s.Image},
		Command:  s.Args,
		Mounts:   s.Mounts,
		LogPath:  s.Name + ".log",
		Linux: &cri.LinuxContainerConfig{
			Resources:       &cri.LinuxContainerResources{},
			SecurityContext: &cri.LinuxContainerSecurityContext{NamespaceOptions: p.Config.GetLinux().GetSecurityContext().GetNamespaceOptions()},
		},
	}
	for k, v := range s.Env {
		config.Envs = append(config.Envs, &cri.KeyValue{Key: k, Value: []byte(v)})
	}
	if s.Change != nil {
		s.Change(config)
	}
	if err := p.cri.WaitImage(ctx, s.Image); err != nil {
		return nil, fmt.Errorf("create container %s: %w", s.Name, err)
	}
	r, err := p.cri.CreateContainer(ctx, &cri.CreateContainerRequest{PodSandboxId: p.ID, Config: config, SandboxConfig: p.Config})
	if err != nil {
		return nil, fmt.Errorf("create container %s: %w", s.Name, err)
	}
	return &Container{ID: r.GetContainerId(), Pod: p, log: filepath.Join(p.Config.GetLogDirectory(), config.GetLogPath())}, nil
}

// Run makes and starts a container. One that does not start is removed.
func (p *Pod) Run(ctx context.Context, s Spec) (*Container, error) {
	c, err := p.Create(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := c.Start(ctx); err != nil {
		return nil, errors.Join(err, c.Remove(ctx))
	}
	return c, nil
}

// Start starts it.
func (c *Container) Start(ctx context.Context) error {
	_, err := c.Pod.cri.StartContainer(ctx, &cri.StartContainerRequest{ContainerId: c.ID})
	if err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	return nil
}

// Stop sends SIGTERM, and SIGKILL after grace.
func (c *Container) Stop(ctx context.Context, grace time.Duration) error {
	_, err := c.Pod.cri.StopContainer(ctx, &cri.StopContainerRequest{ContainerId: c.ID, Timeout: int64(grace / time.Second)})
	if err != nil {
		return fmt.Errorf("stop container: %w", err)
	}
	return nil
}

// Remove removes it, killing it first when it runs.
func (c *Container) Remove(ctx context.Context) error {
	_, err := c.Pod.cri.RemoveContainer(ctx, &cri.RemoveContainerRequest{ContainerId: c.ID})
	if err != nil {
		return fmt.Errorf("remove container: %w", err)
	}
	return nil
}

// Status is the container's state as kubelet sees it.
func (c *Container) Status(ctx context.Context) (*cri.ContainerStatus, error) {
	r, err := c.Pod.cri.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: c.ID})
	if err != nil {
		return nil, fmt.Errorf("container status: %w", err)
	}
	return r.GetStatus(), nil
}

// Wait waits until it has exited and returns its status.
func (c *Container) Wait(ctx context.Context) (*cri.ContainerStatus, error) {
	for {
		st, err := c.Status(ctx)
		if err != nil || st.GetState() == cri.ContainerState_CONTAINER_EXITED {
			return st, err
		}
		select {
		case <-ctx.Done():
			return st, fmt.Errorf("container does not exit: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Result is what a command in a container did.
type Result struct {
	Stdout, Stderr string
	Code           int32
}

// Exec runs a command in the container.
func (c *Container) Exec(ctx context.Context, args ...string) (Result, error) {
	r, err := c.Pod.cri.ExecSync(ctx, &cri.ExecSyncRequest{ContainerId: c.ID, Cmd: args, Timeout: int64(Patience(time.Minute) / time.Second)})
	if err != nil {
		return Result{}, fmt.Errorf("exec %s: %w", strings.Join(args, " "), err)
	}
	return Result{string(r.GetStdout()), string(r.GetStderr()), r.GetExitCode()}, nil
}

// Stats are the container's, or an error when it has none.
func (c *Container) Stats(ctx context.Context) (*cri.ContainerStats, error) {
	r, err := c.Pod.cri.ContainerStats(ctx, &cri.ContainerStatsRequest{ContainerId: c.ID})
	if err != nil {
		return nil, fmt.Errorf("container stats: %w", err)
	}
	return r.GetStats(), nil
}

// Log is what the container has written, without the time, the stream's name
// and the tag the log format puts before each line.
func (c *Container) Log() (string, error) {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return "", fmt.Errorf("read the container's log: %w", err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if f := strings.SplitN(line, " ", 4); len(f) == 4 {
			if f[2] == "P" { // a part of a line
				f[3] = strings.TrimSuffix(f[3], "\n")
			}
			b.WriteString(f[3])
		}
	}
	return b.String(), nil
}
