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

	"github.com/mayfly-run/mayfly/integration/figures"
	"github.com/mayfly-run/mayfly/integration/lab"
)

// embedded shows the sidecars under mayfly serve.
func embedded(ctx context.Context, s *screen) (err error) {
	dir, err := os.MkdirTemp("", "mayfly-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	all, err := lab.Examples(ctx, dir)
	if err != nil {
		return err
	}
	s.step("The sidecars of examples/time under mayfly serve, without root and without containerd")
	var urls []string
	for i, e := range all {
		url, stop, err := serve(ctx, e.Module, fmt.Sprint(18080+i))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
		s.note("time-%-4s %s", e.Language, url)
		urls = append(urls, url)
	}

	s.step("Each request is answered by an instance of its own")
	for _, url := range append(urls, urls[0]) {
		answer, _, err := get(ctx, url)
		if err != nil {
			return err
		}
		s.asked("curl "+url, answer)
	}

	s.step("A hundred requests at once")
	answers := make([]string, 100)
	g, gctx := errgroup.WithContext(ctx)
	for i := range answers {
		g.Go(func() (err error) {
			answers[i], _, err = get(gctx, urls[0])
			return err
		})
	}
	if err := g.Wait(); err != nil {
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
		for range 200 {
			_, timing, err := get(ctx, urls[i])
			if err != nil {
				return err
			}
			t.Add(timing)
		}
		s.note("time-%-4s instance %s; its run %s", e.Language, figures.Summary(t["instance"]), figures.Summary(t["run"]))
	}
	return nil
}

var address = regexp.MustCompile(`http://\S+`)

// serve starts mayfly serve and waits until it says where the module answers.
func serve(ctx context.Context, module, port string) (url string, stop func() error, err error) {
	cmd := exec.CommandContext(ctx, "bin/mayfly", "serve", module, "--listen", "localhost:"+port)
	cmd.Env = append(os.Environ(), "MAYFLY_SERVER_TIMING=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("%w; make host builds it", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url = address.FindString(line)
	if url == "" {
		return "", nil, fmt.Errorf("mayfly serve %s: %w", module, errors.Join(err, cmd.Wait(), errors.New(said.String())))
	}
	return url, func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		return cmd.Wait()
	}, nil
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
