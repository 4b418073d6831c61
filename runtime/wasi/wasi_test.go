package wasi

import (
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/runtime/component"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestPackagesFitTheirDeclarations(t *testing.T) {
	if _, err := component.NewHost(Packages()...); err != nil {
		t.Error(err)
	}
}
