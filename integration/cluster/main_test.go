//go:build linux

package cluster

import (
	"flag"
	"os"
	"testing"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// What a run is told, as in "go test ./integration/cluster -long".
var (
	runLong  = flag.Bool("long", os.Getenv("MAYFLY_LONG") != "", "run the scenarios that take minutes too")
	given    = flag.String("kubeconfig", os.Getenv("MAYFLY_KUBECONFIG"), "run against the cluster of this file, which has mayfly and the images, and not against an own one")
	version  = flag.String("containerd", lab.Containerd24, "version of containerd of the own cluster")
	upgrade  = flag.String("upgrade", "", "directory with mayfly's binaries of another version, which are otherwise built")
	binaries = flag.String("mayfly", "../../bin", "directory with mayfly's binaries for the own cluster")
)

func TestMain(m *testing.M) {
	lab.Main()
	os.Exit(m.Run())
}
