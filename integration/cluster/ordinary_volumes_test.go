//go:build linux

package cluster

import "strings"

var ordinaryVolumeScenarios = []scenario{
	{"a change of a ConfigMap and of a Secret reaches an ordinary container", ordinaryChanges, ordinary},
	{"ordinary containers share volumes, and have parts of them and what their pod knows of itself", ordinaryVolumes, ordinary},
}

func ordinaryChanges(e *env) {
	e.changesReach(func(mounts string) string { return mainWaits(mounts) },
		func(path string) string { return e.sh("reader", "cat "+path) })
}

func ordinaryVolumes(e *env) {
	e.apply(podOf("p", `volumes:
- {name: disk, emptyDir: {}}
- {name: memory, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
- name: self
  projected:
    sources:
    - serviceAccountToken: {path: token, audience: someone, expirationSeconds: 600}
    - downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}
`, mainWaits("volumeMounts: [{name: disk, mountPath: /disk}, {name: memory, mountPath: /memory}, {name: self, mountPath: /self}]"),
		runs("other", "echo of the other >/part/file; cp /part/file /memory; "+waits,
			"volumeMounts: [{name: disk, mountPath: /part, subPath: a/b}, {name: memory, mountPath: /memory}, {name: disk, mountPath: /ro, readOnly: true}]",
			"readinessProbe: {exec: {command: [test, -e, /memory/file]}"+often+"}")))
	e.ready("p")
	e.equal("what the other wrote", e.sh("p", "cat /disk/a/b/file /memory/file"), "of the other\nof the other\n")
	e.contains("a file system in memory", e.sh("p", "grep ' /memory ' /proc/mounts"), "tmpfs", "size=1024k")
	_, refused, err := e.exec("p", "other", "touch", "/ro/file")
	if err == nil {
		e.Error("what is read-only was written to")
	}
	e.contains("a write where there may be none", refused, "Read-only file system")
	e.equal("labels", e.sh("p", "cat /self/labels"), `app="p"`)
	e.equal("parts of the token", strings.Count(e.sh("p", "cat /self/token"), "."), 2)
}
