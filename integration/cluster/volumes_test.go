//go:build linux

package cluster

import "strings"

var volumeScenarios = []scenario{
	{"a change of a ConfigMap and of a Secret is in the next answer", configChanges, sidecar},
	{"a guest reads tokens, labels and what else a pod knows of itself", projectedFiles, sidecar},
	{"what one container writes into a volume the other reads", sharedVolume, sidecar},
	{"a guest writes where it may, and nowhere else", writableFiles, sidecar},
	{"a pod that writes more than it may is evicted", storageLimit, sidecar | long},
}

// files is where a guest's files are asked for: those that read-file, write-file
// and list-dir answer.
const files = "http://localhost:"

func configChanges(e *env) {
	e.changesReach(func(mounts string) string {
		return guest("reads", "read-file", "PORT=8080 MAYFLY_IDLE_TIMEOUT=1s", mounts) + mainWaits()
	}, func(path string) string { return e.get("reader", files+"8080/?path="+path) })
}

// changesReach sees what the pod reader reads of a ConfigMap and a Secret that
// change.
func (e *env) changesReach(containers func(mounts string) string, read func(path string) string) {
	e.Helper()
	e.apply(`
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: red, fixed: red}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {key: first}
---
` + podOf("reader", `volumes:
- {name: settings, configMap: {name: settings}}
- {name: keys, secret: {secretName: keys}}
`, containers("volumeMounts: [{name: settings, mountPath: /settings}, {name: keys, mountPath: /keys}, {name: settings, mountPath: /one/fixed, subPath: fixed}]")))
	e.ready("reader")
	e.equal("the setting", read("/settings/colour"), "red")
	e.equal("the key", read("/keys/key"), "first")
	e.equal("a file of the ConfigMap", read("/one/fixed"), "red")
	e.kubectl("patch", "configmap", "settings", "--patch", `{"data": {"colour": "blue", "fixed": "blue"}}`)
	e.kubectl("patch", "secret", "keys", "--patch", `{"stringData": {"key": "second"}}`)
	// Kubelet looks at a pod that changes at once, and otherwise when its time has come.
	e.kubectl("annotate", "pod", "reader", "look=again")
	e.eventually("the next answers have the new values", func() bool {
		return read("/settings/colour") == "blue" && read("/keys/key") == "second"
	})
	// So it is with any container.
	e.equal("a single file that is mounted", read("/one/fixed"), "red")
}

func projectedFiles(e *env) {
	e.apply(podOf("self", `volumes:
- name: self
  projected:
    sources:
    - serviceAccountToken: {path: token, audience: someone, expirationSeconds: 600}
    - downwardAPI:
        items:
        - {path: labels, fieldRef: {fieldPath: metadata.labels}}
        - {path: limit, resourceFieldRef: {containerName: reads, resource: limits.memory, divisor: 1Mi}}
`,
		guest("reads", "read-file", "PORT=8080", "resources: {limits: {memory: 64Mi}}", "volumeMounts: [{name: self, mountPath: /self}]"),
		strings.Replace(guest("env", "env", "PORT=8081"), "env: [", "env: [{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}, ", 1),
		mainWaits()))
	pod := e.ready("self")
	read := func(path string) string { return e.get("self", files+"8080/?path="+path) }
	e.equal("parts of the token", strings.Count(read("/self/token"), "."), 2)
	e.equal("labels", read("/self/labels"), `app="self"`)
	e.equal("the memory limit", read("/self/limit"), "64")
	e.contains("the environment", e.get("self", "http://localhost:8081/"), "POD=self\n", "IP="+pod.Status.PodIP+"\n", "KUBERNETES_SERVICE_HOST=")
	if strings.Contains(e.get("self", "http://localhost:8081/"), "MAYFLY_") {
		e.Error("a guest sees what is said to mayfly")
	}
}

func sharedVolume(e *env) {
	e.apply(podOf("shared", `volumes:
- {name: disk, emptyDir: {}}
- {name: memory, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
`, guest("writes", "write-file", "PORT=8080", "volumeMounts: [{name: disk, mountPath: /disk}, {name: memory, mountPath: /memory}]"),
		guest("reads", "http", "PORT=8081", "volumeMounts: [{name: disk, mountPath: /disk}, {name: memory, mountPath: /memory}]"),
		mainWaits("volumeMounts: [{name: disk, mountPath: /disk}, {name: memory, mountPath: /memory}]")))
	e.ready("shared")
	for _, dir := range []string{"/disk", "/memory"} {
		e.equal("a guest's write", e.get("shared", files+"8080/?path="+dir+"/guest&text=by-a-guest"), "wrote 10")
		e.equal("what the main container reads", e.sh("shared", "cat "+dir+"/guest"), "by-a-guest")
		e.sh("shared", "echo -n by-main >"+dir+"/main")
		e.equal("what a guest reads", e.get("shared", files+"8081/read?path="+dir+"/main"), "by-main")
		e.equal("what is there", e.get("shared", files+"8081/list?path="+dir), "guest\nmain")
		e.sh("shared", "mv "+dir+"/main "+dir+"/moved; rm "+dir+"/guest")
		e.equal("what is there then", e.get("shared", files+"8081/list?path="+dir), "moved")
	}
	e.sh("shared", "dd if=/dev/zero of=/memory/full bs=64k 2>/dev/null || true")
	e.equal("a guest's write where nothing is left", e.status("shared", files+"8080/?path=/memory/more&text=x"), "403")
}

func writableFiles(e *env) {
	mounts := `volumeMounts: [{name: disk, mountPath: /rw}, {name: disk, mountPath: /ro, readOnly: true}, {name: disk, mountPath: /part, subPath: a/b},
    {name: disk, mountPath: /own, subPathExpr: $(POD_NAME)}, {name: node, mountPath: /node}, {name: node, mountPath: /node-ro, readOnly: true}]`
	e.apply(podOf("writer", `volumes:
- {name: disk, emptyDir: {}}
- {name: node, hostPath: {path: /tmp, type: Directory}}
`, strings.Replace(guest("writes", "write-file", "PORT=8080", mounts), "env: [", "env: [{name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, ", 1),
		mainWaits("volumeMounts: [{name: disk, mountPath: /rw}, {name: node, mountPath: /node}]")))
	e.ready("writer")
	ours := "/node/" + e.namespace // the directory is everybody's
	defer e.sh("writer", "rm -f "+ours)
	e.sh("writer", "chmod 777 /rw/a/b /rw/writer")
	for path, want := range map[string]string{
		"/rw/1": "200", "/part/2": "200", "/own/3": "200", ours: "200",
		"/ro/5": "403", "/node-ro/" + e.namespace: "403", "/var/run/secrets/kubernetes.io/serviceaccount/7": "403", "/proc/8": "403", "/dev/9": "403",
	} {
		e.equal("a write to "+path, e.status("writer", files+"8080/?path="+path+"&text=x"), want)
	}
	e.equal("what came of it", e.sh("writer", "cat /rw/1 /rw/a/b/2 /rw/writer/3 "+ours), "xxxx")
}

func storageLimit(e *env) {
	e.apply(podOf("greedy", "volumes: [{name: disk, emptyDir: {sizeLimit: 1Mi}}]\n",
		guest("writes", "write-file", "PORT=8080", "volumeMounts: [{name: disk, mountPath: /disk}]"),
		mainWaits("volumeMounts: [{name: disk, mountPath: /disk}]")))
	e.ready("greedy")
	e.equal("a guest's write", e.get("greedy", files+"8080/?path=/disk/guest&text=hello"), "wrote 5")
	e.sh("greedy", "dd if=/dev/zero of=/disk/much bs=1M count=4 2>/dev/null")
	// Kubelet looks how large volumes are once a minute.
	e.kubectl("wait", "--for=jsonpath={.status.reason}=Evicted", "pod/greedy", "--timeout=3m")
	e.contains("why", e.pod("greedy").Status.Message, `Usage of EmptyDir volume "disk" exceeds the limit "1Mi"`)
}
