//go:build linux

package lab

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
)

// KubernetesTests are Kubernetes' own end-to-end tests: a directory with
// e2e.test, ginkgo, which runs it in several processes, and the programs
// of images of theirs, agnhost and nnp.
type KubernetesTests struct{ Dir string }

// Program is the file of one of them.
func (k *KubernetesTests) Program(name string) string { return filepath.Join(k.Dir, name) }

// KubernetesTests builds them, or finds them in the cache. That takes minutes
// once.
func (c *Cache) KubernetesTests() (*KubernetesTests, error) {
	dir, err := c.Entry("kubernetes-e2e-"+KubernetesVersion, func(dir string) error {
		if err := certificate(dir); err != nil {
			return err
		}
		return c.goBuild(dir, "kubernetes-e2e-"+KubernetesVersion, KubernetesVersion, kubernetesFlags(), "",
			"ginkgo=github.com/onsi/ginkgo/v2/ginkgo",
			"agnhost=k8s.io/kubernetes/test/images/agnhost", "nnp=k8s.io/kubernetes/test/images/nonewprivs",
			"e2e.test=k8s.io/kubernetes/test/e2e")
	})
	return &KubernetesTests{Dir: dir}, err
}

// certificate puts the one that agnhost's image has beside the programs; it is
// in the sources, which go downloads and verifies.
func certificate(dir string) error {
	cmd := exec.Command("go", "mod", "download", "-json", "k8s.io/kubernetes@v"+KubernetesVersion)
	cmd.Dir, cmd.Env = dir, goEnv(false)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("find the sources of Kubernetes: %w: %s", err, tail(string(out), 5))
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return fmt.Errorf("find the sources of Kubernetes: %w", err)
	}
	for _, f := range []string{"localhost.crt", "localhost.key"} {
		if err := CopyFile(filepath.Join(module.Dir, "test/images/agnhost/porter", f), filepath.Join(dir, f)); err != nil {
			return err
		}
	}
	return nil
}
