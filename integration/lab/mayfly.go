//go:build linux

package lab

import "context"

// BuildUpgraded builds a program of mayfly's, or all ("..."), that says it is another version.
func BuildUpgraded(ctx context.Context, to, program string) error {
	return Tool(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-ldflags", "-s -w -X github.com/mayfly-run/mayfly/internal/version.Version=upgraded",
		"-o", to, "github.com/mayfly-run/mayfly/cmd/"+program)
}
