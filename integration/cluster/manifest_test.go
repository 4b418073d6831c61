//go:build linux

package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// podOf is the manifest of a pod; fields are those of its spec beside the
// containers, a line each.
func podOf(name, fields string, containers ...string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, labels: {app: %[1]s}}
spec:
  RUNTIME
  terminationGracePeriodSeconds: 5
%s  containers:
%s---
`, name, indent(fields), strings.Join(containers, ""))
}

// guest is a container of a manifest: a sidecar that answers requests, if env
// does not say otherwise. That is its environment, "PORT=8080 A=B", and fields
// are more of its fields.
func guest(name, module, env string, fields ...string) string {
	var vars []string
	for _, kv := range strings.Fields("MAYFLY_TRIGGER=http " + env) {
		k, v, _ := strings.Cut(kv, "=")
		// Of two with a name only the second may stand there.
		vars = slices.DeleteFunc(vars, func(have string) bool { return strings.HasPrefix(have, "{name: "+k+",") })
		vars = append(vars, fmt.Sprintf("{name: %s, value: %q}", k, v))
	}
	return fmt.Sprintf("  - {name: %s, image: %q, command: [/%s.wasm], env: [%s]%s}\n", name, lab.GuestsImage, module, strings.Join(vars, ", "), more(fields))
}

// runs is an ordinary container that runs a shell script.
func runs(name, script string, fields ...string) string {
	return fmt.Sprintf("  - {name: %s, image: %q, command: [sh, -c, %q]%s}\n", name, lab.MainImage, script, more(fields))
}

// waits is the end of a script that has nothing more to do.
const waits = "trap exit TERM; sleep 3600 & wait"

// mainWaits is a container that does nothing but be there to ask from.
func mainWaits(fields ...string) string { return runs("main", waits, fields...) }

// serves makes a container that serves on port 8080.
type serves func(fields ...string) string

// nginx is an ordinary container that answers on a port of all of its pod's
// addresses, with nginxSays.
func nginx(name string, port int, fields ...string) string {
	return runs(name, fmt.Sprintf("sed -i 's/listen 80;/listen %d; listen [::]:%[1]d;/' /etc/nginx/nginx.conf; exec nginx -g 'daemon off;'", port), fields...)
}

const nginxSays = "nginx is the main container"

func more(fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	return ", " + strings.Join(fields, ", ")
}

func indent(lines string) string {
	var b strings.Builder
	for l := range strings.Lines(lines) {
		b.WriteString("  " + strings.TrimSuffix(l, "\n") + "\n")
	}
	return b.String()
}
