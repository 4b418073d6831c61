//go:build linux

package lab

// Packages downloads Debian packages with all they depend on, as on a machine
// where nothing is installed, and unpacks them into dir. None is installed, and
// what an installation would run is not.
func (c *Cache) Packages(dir string, pkgs ...string) error { return c.download(dir, true, pkgs...) }

// Install sees to it that the machine has a program, with apt where it has not.
func (c *Cache) Install(program, pkg string) error { return c.install(need{program, pkg}) }

// PackageVersion is the upstream version of the package apt would install.
func PackageVersion(pkg string) (string, error) { return candidate(pkg) }
