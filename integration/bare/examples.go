//go:build linux

package bare

import (
	"os"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// Examples are the modules that are measured when nobody names others: components of examples/time that need no building.
func Examples() []string {
	var modules []string
	examples, _ := lab.Components(lab.NewProgress(os.Stderr), "c", "rust")
	for _, e := range examples {
		modules = append(modules, e.Module)
	}
	return modules
}
