//go:build linux

package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// KindVersion is the release of kind, and CoreDNSVersion the one kubeadm of
// KubernetesVersion installs.
const (
	KindVersion    = "0.33.0"
	CoreDNSVersion = "1.14.2"
)

// Kind is a directory with the program kind and, below base, the files that
// its node images have beside those of packages: units, an entrypoint, a
// configuration of containerd.
func (c *Cache) Kind() (string, error) {
	return c.Entry("kind-"+KindVersion, func(dir string) error {
		const module = "sigs.k8s.io/kind"
		if err := c.goInstall(dir, KindVersion, "", false, "", module); err != nil {
			return err
		}
		source, err := moduleSource(module, KindVersion)
		if err != nil {
			return err
		}
		return os.CopyFS(filepath.Join(dir, "base"), os.DirFS(filepath.Join(source, "images/base/files")))
	})
}

// CoreDNS is a directory with the program coredns.
func (c *Cache) CoreDNS() (string, error) {
	return c.Entry("coredns-"+CoreDNSVersion, func(dir string) error {
		return c.goInstall(dir, CoreDNSVersion, "", false, "", "github.com/coredns/coredns")
	})
}

// moduleSource is the directory of a module's files.
func moduleSource(module, version string) (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", module+"@v"+version)
	cmd.Env = goEnv(false)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("download the module %s: %w", module, err)
	}
	var m struct{ Dir string }
	if err := json.Unmarshal(out, &m); err != nil {
		return "", fmt.Errorf("download the module %s: %w", module, err)
	}
	return m.Dir, nil
}
