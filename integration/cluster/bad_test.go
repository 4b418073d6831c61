//go:build linux

package cluster

import (
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/internal/ociimage"
)

var badScenarios = []scenario{
	{"kubectl describe says what is wrong with a setting", badSettings, sidecar},
	{"kubectl describe says what is wrong with a module", badModules, sidecar},
	{"kubectl describe says who has the port that a sidecar wants", portsInUse, sidecar},
	{"kubectl describe says what is wrong with a pod or its node", badPods, sidecar},
	{"a runtime class that leads nowhere is said", badClasses, sidecar},
	{"an image for another architecture is said", otherArchitecture, sidecar},
	{"a misspelt variable and annotation are said in the log", misspelt, sidecar},
	{"a command that fails is started again later and later, and describe says how it ended", failingCommands, sidecar},
}

// badContainer is what cannot run, and what is to be read of it.
type badContainer struct {
	name string // of the container
	yaml string // as guest makes it, for this name
	says []string
}

// bad is a badContainer with a guest.
func bad(name, module, env, says string, fields ...string) badContainer {
	return badContainer{name, guest(name, module, env, fields...), strings.Split(says, "|")}
}

// refuses starts a pod of bad containers and one good one, sees what kubectl
// describe says of each, and that the good one answers.
func (e *env) refuses(pod, fields string, all ...badContainer) {
	e.Helper()
	containers := []string{guest("good", "counter", "PORT=9999"), mainWaits()}
	for _, b := range all {
		containers = append(containers, b.yaml)
	}
	e.apply(podOf(pod, fields, containers...))
	for _, b := range all {
		var said string
		e.eventually("container "+b.name+" ends with a reason", func() bool {
			said = reason(statusOf(e.pod(pod), b.name))
			return said != ""
		})
		e.contains("the state of "+b.name, said, b.says...)
	}
	text := e.kubectl("describe", "pod", pod)
	for _, b := range all {
		e.contains("kubectl describe on "+b.name, text, b.says...)
	}
	e.equal("the sidecar beside them", e.get(pod, "http://localhost:9999/"), "1")
}

// reason is why a container does not run, "" while it may yet.
func reason(s corev1.ContainerStatus) string {
	for _, t := range []*corev1.ContainerStateTerminated{s.State.Terminated, s.LastTerminationState.Terminated} {
		if t != nil {
			return t.Reason + ": " + t.Message
		}
	}
	return ""
}

func badSettings(e *env) {
	e.refuses("settings", "volumes: [{name: v, emptyDir: {}}]",
		bad("port-0", "hello", "PORT=0", `PORT="0"|for example, 8080`),
		bad("elsewhere", "hello", "MAYFLY_LISTEN=192.0.2.1:8080", "192.0.2.1:8080|the pod has no such address; it has 127.0.0.1"),
		bad("a-name", "hello", "MAYFLY_LISTEN=example.com:80", `MAYFLY_LISTEN="example.com:80"|names other than localhost are not looked up`),
		bad("no-directory", "hello", "MAYFLY_LISTEN=unix:/nowhere/socket", "unix:/nowhere/socket|mount a volume there"),
		bad("no-time", "hello", "MAYFLY_TIMEOUT=soon", `MAYFLY_TIMEOUT="soon"|for example, 30s`),
		bad("no-trigger", "hello", "MAYFLY_TRIGGER=wish", `MAYFLY_TRIGGER="wish"|http or command`),
		bad("outbound", "time-c", "MAYFLY_ALLOWED_OUTBOUND=gopher://here", "MAYFLY_ALLOWED_OUTBOUND|gopher"),
		bad("in-the-way", "hello", "PORT=8080", "/.mayfly|mount it anywhere else", "volumeMounts: [{name: v, mountPath: /.mayfly/x}]"),
	)
}

func badModules(e *env) {
	e.refuses("modules", "",
		bad("empty", "empty", "", "not a WebAssembly module|the file is empty"),
		bad("text", "text", "", "not a WebAssembly module|build the image from the linked .wasm file"),
		bad("truncated", "truncated", "", "truncated.wasm"),
		bad("absent", "not-there", "", "not-there.wasm|no such file"),
		bad("import", "unknown-import", "", `"env"."launch_rocket"|nothing provides it`),
		bad("memory", "big-memory", "", "MAYFLY_MEMORY"),
		bad("wasi-3", "component-0.3", "", "wasi:http/types@0.3.0|build for 0.2"),
		bad("store", "component-keyvalue", "", "wasi:keyvalue/store|nothing provides it"),
	)
}

func portsInUse(e *env) {
	e.refuses("sidecars", "", bad("second", "hello", "PORT=9999", `listen on 127.0.0.1:9999|sidecar "good" has it|PORT`))
	listening := `lifecycle: {postStart: {exec: {command: [sh, -c, "until curl -s localhost >/dev/null; do sleep 0.1; done"]}}}`
	nginx := func(name string, fields ...string) string {
		return "  - {name: " + name + ", image: " + lab.MainImage + more(fields) + "}\n"
	}
	e.apply(podOf("after-nginx", "", nginx("nginx", listening), guest("late", "hello", "PORT=80")) +
		podOf("before-nginx", "", guest("early", "counter", "PORT=80"), nginx("nginx"), mainWaits()))
	e.eventually("the sidecar is told who has its port", func() bool {
		return strings.Contains(reason(statusOf(e.pod("after-nginx"), "late")), `listen on 127.0.0.1:80: address already in use in this pod: container "nginx" has it; set PORT or MAYFLY_LISTEN to one that is free`)
	})
	e.eventually("nginx says that its port is taken", func() bool {
		log, _, _ := e.tryKubectl("logs", "before-nginx", "-c", "nginx") // which may not have begun
		return strings.Contains(log, "Address already in use")
	})
	e.equal("the sidecar that was first", e.get("before-nginx", "http://localhost/"), "1")
}

func badPods(e *env) {
	plain := func(manifest string) string { return strings.Replace(manifest, "  RUNTIME\n", "", 1) }
	e.apply(plain(podOf("no-class", "", guest("time", "hello", "PORT=8080"))) +
		podOf("little-memory", "", guest("time", "hello", "PORT=8080", "resources: {limits: {memory: 2Mi}}"), mainWaits()) +
		podOf("no-image", "", "  - {name: time, image: localhost/mayfly/none:1, imagePullPolicy: Never}\n") +
		podOf("probed", "", guest("time", "counter", "MAYFLY_LISTEN=:8080", "readinessProbe: {httpGet: {path: /, port: 9999}, periodSeconds: 1}"), mainWaits()) +
		podOf("root", "securityContext: {runAsNonRoot: true}", mainWaits()))
	for pod, says := range map[string][]string{
		"no-class":      {"/hello.wasm", "permission denied"},
		"little-memory": {"memory limit"},
		"no-image":      {`"localhost/mayfly/none:1" is not present with pull policy of Never`},
		"probed":        {"Readiness probe failed", ":9999", "connection refused"},
		"root":          {"container has runAsNonRoot and image will run as root"},
	} {
		e.eventually("the events of pod "+pod+" say why", func() bool {
			events := e.events(pod)
			return !slices.ContainsFunc(says, func(s string) bool { return !strings.Contains(events, s) })
		})
		e.contains("kubectl describe", e.kubectl("describe", "pod", pod), says...)
	}
	e.equal("the sidecar whose port was not the one that is probed", e.get("probed", "http://localhost:8080/"), "1")
}

func badClasses(e *env) {
	e.runtime = "no-such-class"
	err := e.tryApply(podOf("missing", "", guest("time", "hello", "PORT=8080")))
	if err == nil {
		e.Fatal("a pod of a class that is not there is taken")
	}
	e.contains("the answer to a pod of a class that is not there", err.Error(), `RuntimeClass "no-such-class" not found`)
	handlers := map[string][]string{"mayfyl": {`no runtime for "mayfyl" is configured`}}
	if e.cluster != nil {
		handlers[lab.AbsentRuntime] = []string{"containerd-shim-", "binary not installed"}
	}
	for handler, says := range handlers {
		class := &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: e.namespace + "-" + handler}, Handler: handler}
		e.check(e.resources.Create(e.ctx, class))
		e.Cleanup(func() { e.removes(class) })
		e.runtime = class.Name
		e.apply(podOf(handler, "", guest("time", "hello", "PORT=8080")))
		e.eventually("the events of pod "+handler+" say why", func() bool { return strings.Contains(e.events(handler), says[0]) })
		e.contains("kubectl describe", e.kubectl("describe", "pod", handler), append(says, "FailedCreatePodSandBox")...)
	}
}

// otherArchitecture needs a node to put an image into.
func otherArchitecture(e *env) {
	if e.cluster == nil {
		e.Skip("not a cluster of our own")
	}
	for _, platform := range []v1.Platform{{OS: "linux", Architecture: "s390x"}, {OS: "wasi", Architecture: "wasm"}} {
		spec, err := ociimage.App{Name: "app.wasm", Module: guests.Wasm("hello"), Trigger: "http", Port: 8080, Platforms: []v1.Platform{platform}}.Spec()
		e.check(err)
		image, err := ociimage.Build(spec)
		e.check(err)
		ref, archive := "localhost/mayfly/"+platform.Architecture+":1", filepath.Join(e.TempDir(), platform.Architecture+".tar")
		e.check(lab.WriteImage(archive, ref, image))
		_, err = e.cluster.Containerd.Ctr(e.ctx, "-n", "k8s.io", "images", "import", "--no-unpack", "--all-platforms", archive)
		e.check(err)
		e.apply(podOf(platform.Architecture, "", "  - {name: time, image: "+ref+", imagePullPolicy: Never}\n"))
		// Of a registry containerd would say "no match for platform in manifest".
		e.eventually("the image has nothing for the node", func() bool {
			return strings.Contains(e.events(platform.Architecture), "not found") || strings.Contains(e.events(platform.Architecture), "is not present")
		})
	}
}

func misspelt(e *env) {
	pod := podOf("misspelt", "", guest("time", "hello", "PORT=8080 MAYFLY_LISTNE=:8080"))
	e.apply(strings.Replace(pod, "labels:", "annotations: {mayfly.run/prob: guest}, labels:", 1))
	bad := podOf("wrong", "", guest("time", "hello", "PORT=8080"))
	e.apply(strings.Replace(bad, "labels:", "annotations: {mayfly.run/probe: sometimes}, labels:", 1))
	e.ready("misspelt")
	e.contains("the log", e.logs("misspelt", "time"), "MAYFLY_LISTNE", "did you mean MAYFLY_LISTEN?", "mayfly.run/prob", "did you mean mayfly.run/probe?")
	e.eventually("a wrong value is said", func() bool {
		return strings.Contains(e.events("wrong"), `mayfly.run/probe`) && strings.Contains(e.events("wrong"), "mayfly or guest")
	})
}

func failingCommands(e *env) {
	e.apply(podOf("commands", "",
		guest("exits", "exit", "MAYFLY_TRIGGER=command", `args: ["3"]`),
		guest("traps", "trap", "MAYFLY_TRIGGER=command", restrictedContainer),
		guest("writes", "write-file", "MAYFLY_TRIGGER=command QUERY_STRING=path=/why&text=as-I-said", "terminationMessagePath: /why"),
		guest("panics", "command", "MAYFLY_TRIGGER=command", "terminationMessagePolicy: FallbackToLogsOnError", "args: [panic]"),
	))
	for container, says := range map[string][]string{
		"exits":  {"Error: "},
		"traps":  {"Error: the guest trapped: unreachable", "c()"},
		"writes": {"Completed: as-I-said"},
		"panics": {"Error: the guest trapped: unreachable", "panicked at"},
	} {
		e.eventually("container "+container+" ends", func() bool { return reason(statusOf(e.pod("commands"), container)) != "" })
		e.contains("the end of "+container, reason(statusOf(e.pod("commands"), container)), says...)
	}
	e.eventually("kubelet waits before it starts one again", func() bool {
		w := statusOf(e.pod("commands"), "exits").State.Waiting
		return w != nil && w.Reason == "CrashLoopBackOff" && strings.Contains(e.events("commands"), "Back-off restarting failed container exits")
	})
	e.contains("kubectl describe", e.kubectl("describe", "pod", "commands"), "Exit Code:    3", "Exit Code:    134", "the guest trapped: unreachable", "CrashLoopBackOff")
}
