//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/vm/job"
	"github.com/mayfly-run/mayfly/internal/guests/build"
)

// writePayload makes the disk with what the machine is to do, in dir.
func writePayload(ctx context.Context, cache *lab.Cache, dir, disk string, s settings) error {
	repo, err := build.Root()
	if err != nil {
		return err
	}
	pkg := "integration"
	if s.cluster {
		pkg = "integration/cluster"
	}
	tree := filepath.Join(dir, "tree")
	p := payload{tree: tree}
	p.sources(repo)
	p.programs(s.bin)
	p.built(cache, s.cluster)
	args := []string{"-test.v=test2json", "-test.timeout", s.timeout.String(), "-test.run", s.run, "-test.skip", s.skip}
	if s.cluster {
		p.upgraded(ctx)
		args = append(args, "-upgrade", job.Mount+"/repo/"+upgraded)
	}
	tests := filepath.Join(tree, "repo", pkg, "tests")
	if err := errors.Join(p.err, goCommand(ctx, "test", "-c", "-o", tests, "github.com/mayfly-run/mayfly/"+pkg)); err != nil {
		return err
	}
	text, err := json.Marshal(job.Job{
		Args: append([]string{"./tests"}, args...),
		Dir:  job.Mount + "/repo/" + pkg,
		Env:  []string{"XDG_CACHE_HOME=" + job.Mount + "/cache", lab.PatienceVar + "=" + strconv.Itoa(s.patience)},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tree, job.File), text, 0o644); err != nil {
		return err
	}
	return makeDisk(disk, tree, 4<<30)
}

// payload is the files of the disk; err is the first thing that went wrong.
type payload struct {
	tree string
	err  error
}

// link puts a file, or a directory with all that is in it, into the tree.
func (p *payload) link(from, to string) {
	if p.err != nil {
		return
	}
	p.err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		name = filepath.Join(p.tree, to, name)
		if d.IsDir() {
			return os.MkdirAll(name, 0o755)
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if os.Link(path, name) == nil || !d.Type().IsRegular() {
			return nil
		}
		return lab.CopyFile(path, name) // on another file system
	})
}

// sources are the files of the repository that tests read.
func (p *payload) sources(repo string) {
	for _, f := range []string{"go.mod", "examples", "integration", "internal"} {
		p.link(filepath.Join(repo, f), filepath.Join("repo", f))
	}
}

func (p *payload) programs(bin string) {
	for _, b := range []string{"containerd-shim-mayfly-v1", "mayfly-init", "mayfly-engine", "mayfly"} {
		if p.link(filepath.Join(bin, b), filepath.Join("repo/bin", b)); p.err != nil {
			p.err = fmt.Errorf("%w; make host builds it", p.err)
			return
		}
	}
}

// upgraded is the directory with a version of mayfly's programs that a scenario
// replaces the others by. There is no Go in the machine to build it with.
const upgraded = "bin-upgraded"

func (p *payload) upgraded(ctx context.Context) {
	if p.err == nil {
		p.err = lab.BuildUpgraded(ctx, filepath.Join(p.tree, "repo", upgraded)+"/", "...")
	}
}

// built is what the lab has built, which the machine cannot: it is slow, and
// has no network.
func (p *payload) built(cache *lab.Cache, cluster bool) {
	for _, version := range []string{lab.Containerd24, lab.Containerd17} {
		if _, err := cache.Containerd(version); err != nil {
			p.err = errors.Join(p.err, err)
		}
	}
	_, imagesErr := cache.Images()
	_, jsErr := build.Component("time-javascript")
	entries, err := os.ReadDir(cache.Dir)
	if p.err = errors.Join(p.err, imagesErr, jsErr, err); p.err != nil {
		return
	}
	kinds := []string{"containerd-" + lab.Containerd24, "containerd-" + lab.Containerd17, "runc-", "cni-", "image-", "guest-time-javascript-"}
	if cluster {
		kinds = append(kinds, "kubernetes-")
	}
	for _, e := range entries {
		if e.IsDir() && slices.ContainsFunc(kinds, func(k string) bool { return strings.HasPrefix(e.Name(), k) }) {
			p.link(filepath.Join(cache.Dir, e.Name()), filepath.Join("cache/mayfly", e.Name()))
		}
	}
}
