//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mayfly-run/mayfly/integration/load"
	"github.com/mayfly-run/mayfly/integration/peers"
)

// containers returns clients who start a container for each request.
func (m *measuring) containers() func() load.Asker {
	return func() load.Asker { return &starter{m: m} }
}

// starter is one of them. What can be made once, the bundle, it makes once.
type starter struct {
	m         *measuring
	container *peers.Container
	dir       string
}

// Open implements load.Asker.
func (s *starter) Open(context.Context) (err error) {
	if s.dir, err = os.MkdirTemp(s.m.dir, "mayfly-peers-"); err != nil {
		return err
	}
	s.container, err = s.m.fleet.native.Container(s.dir)
	return err
}

// Ask starts the container and asks as soon as somebody listens. Deleting it is not part of the time, but of the rate.
func (s *starter) Ask(ctx context.Context) (took time.Duration, err error) {
	if s.container == nil {
		return 0, errors.New("there is no bundle")
	}
	defer func() { err = errors.Join(err, s.container.Delete()) }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begin := time.Now()
	if err := s.container.Start(ctx); err != nil {
		return 0, err
	}
	if err := load.First(ctx, target(s.container.Addr).Client()); err != nil {
		return 0, fmt.Errorf("a container that was started: %w", err)
	}
	return time.Since(begin), nil
}

// Close implements load.Asker.
func (s *starter) Close() error {
	if s.dir == "" {
		return nil
	}
	return os.RemoveAll(s.dir)
}
