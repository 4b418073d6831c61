package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/figures"
)

// embedded shows the sidecars under mayfly serve.
func embedded(ctx context.Context, s *screen) (err error) {
	all, lacking := lab.Components(lab.NewProgress(os.Stderr))
	s.step("The sidecars of examples/time under mayfly serve, without root and without containerd")
	servers := make([]*server, len(all))
	defer func() {
		for _, s := range servers {
			if s != nil {
				err = errors.Join(err, s.stop())
			}
		}
	}()
	g := errgroup.Group{}
	for i, e := range all {
		g.Go(func() error {
			mb, large, err := size(e)
			if err != nil {
				return err
			}
			if large {
				s.note("%-10s %4.1f MB of Wasm are compiled …", e.Title, mb)
			}
			begin := time.Now()
			server, err := serve(ctx, e.Module, fmt.Sprint(18080+i))
			if err != nil {
				return err
			}
			servers[i] = server
			s.note("%-10s ready after %s", e.Title, figures.Short(time.Since(begin)))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}

	s.step("Each request is answered by an instance of its own")
	for _, server := range append(servers, servers[0]) {
		answer, _, err := get(ctx, server.url)
		if err != nil {
			return err
		}
		s.asked("curl "+server.url, answer)
	}

	s.step("A hundred requests at once")
	answers := make([]string, 100)
	asks, gctx := errgroup.WithContext(ctx)
	for i := range answers {
		asks.Go(func() (err error) {
			answers[i], _, err = get(gctx, servers[0].url)
			return err
		})
	}
	if err := asks.Wait(); err != nil {
		return err
	}
	answered, different, err := instances(strings.Join(answers, "\n"))
	if err != nil {
		return err
	}
	s.note("%d answers from %d instances", answered, different)

	s.step("What a fresh instance costs, by the engine's own clock")
	for i, e := range all {
		t := figures.Timings{}
		for range 100 {
			_, timing, err := get(ctx, servers[i].url)
			if err != nil {
				return err
			}
			t.Add(timing)
		}
		s.note("%-10s instance %s; its run %s", e.Title, figures.Summary(t["instance"]), figures.Summary(t["run"]))
	}
	for _, l := range lacking {
		s.note("left out: %v", l)
	}
	return nil
}

var address = regexp.MustCompile(`http://\S+`)

// server is a mayfly serve.
type server struct {
	url string
	cmd *exec.Cmd
}

// serve starts one and waits until it says where the component answers.
func serve(ctx context.Context, module, port string) (*server, error) {
	cmd := exec.CommandContext(ctx, "bin/mayfly", "serve", module, "--listen", "localhost:"+port)
	cmd.Env = append(os.Environ(), "MAYFLY_SERVER_TIMING=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; make host builds it", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url := address.FindString(line)
	if url == "" {
		return nil, fmt.Errorf("mayfly serve %s: %w", module, errors.Join(err, cmd.Wait(), errors.New(said.String())))
	}
	return &server{url, cmd}, nil
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

func get(ctx context.Context, url string) (body, timing string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", "", fmt.Errorf("GET %s: %s: %s", url, resp.Status, text)
	}
	return string(text), resp.Header.Get("Server-Timing"), nil
}
