//go:build linux

package integration

import (
	"os"
	"testing"

	"github.com/mayfly-run/mayfly/integration/lab"
)

func TestMain(m *testing.M) {
	lab.Main()
	os.Exit(m.Run())
}
