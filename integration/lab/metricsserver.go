//go:build linux

package lab

import "path/filepath"

// metricsServerVersion is the newest release.
const metricsServerVersion = "0.9.0"

// MetricsServer builds metrics-server, by which kubectl top and the autoscaler
// learn what containers use, or finds it in the cache. It returns the program.
func (c *Cache) MetricsServer() (string, error) {
	dir, err := c.Entry("metrics-server-"+metricsServerVersion, func(dir string) error {
		return c.goBuild(dir, "metrics-server-"+metricsServerVersion, metricsServerVersion, "", "", "sigs.k8s.io/metrics-server/cmd/metrics-server")
	})
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "metrics-server"), nil
}
