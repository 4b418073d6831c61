package peers

import (
	"embed"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/guests/toolchain"
)

const jcoVersion = "1.35.0" // as in jco/package-lock.json

//go:embed jco/package.json jco/package-lock.json
var jcoPackage embed.FS

// Jco returns "jco serve", which npm installs when nobody has.
func Jco(progress *lab.Progress, g Guest) (*Server, error) {
	if err := toolchain.Provide(toolchain.NodeJS); err != nil {
		return nil, err
	}
	var dir string
	err := progress.Do("jco "+jcoVersion, func() (err error) {
		dir, err = toolchain.Entry("jco-"+jcoVersion, installJco)
		return err
	})
	if err != nil {
		return nil, err
	}
	node := firstLine("node", "--version")
	script := filepath.Join(dir, "node_modules/@bytecodealliance/jco/dist/jco.js")
	return &Server{
		Name: "jco", Version: "jco " + jcoVersion + " on Node.js " + node, Env: g.environment(),
		// An instance for each request, as the others have it; without that option one serves all.
		Command: func(file string, port int, dir string) []string {
			return slices.Concat([]string{
				"node", script, "serve", "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--isolate-requests", "instance",
				"--jco-dir", filepath.Join(dir, "out"), file,
			}, g.Args)
		},
		Cannot: func(component string) string {
			major, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(node, ".")[0], "v"))
			if strings.HasSuffix(component, "python") && major < 21 {
				return "componentize-py uses extended constant expressions, which Node.js has since version 21"
			}
			return ""
		},
	}, nil
}

// installJco installs by the lock file. "npm ci" would want it to name packages for every system there is, and some were never published.
func installJco(dir string) error {
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := jcoPackage.ReadFile("jco/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return (toolchain.Env{}).Run(dir, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund")
}
