//go:build linux

package cluster

import (
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/e2e-framework/klient/k8s/resources"
)

var jobScenarios = []scenario{
	{"a job with a sidecar completes when its main container does", jobCompletes, sidecar},
	{"a job with a sidecar fails when its main container does", jobFails, sidecar},
	{"a job's main container that fails is restarted beside its sidecar", jobRestarts, sidecar},
	{"a job with a sidecar ends at its deadline", jobDeadline, sidecar},
	{"each pod of an indexed job has its own sidecar", jobIndexed, sidecar},
	{"a job's main container may be done before its sidecar is there", jobQuick, sidecar},
	{"a job's sidecar waits for a main container that is late", jobLate, sidecar},
	{"a job's sidecar as an init container ends by kubelet's rules", jobNative, sidecar},
	{"a job whose work is a sidecar that is a command completes with it", jobCommand, sidecar},
	{"a cron job's sidecars end with its main containers", cronJob, sidecar},
	{"a cron job's sidecars end with its main containers, by the clock", cronJobByTheClock, sidecar | long},
	{"a pod may ask that its sidecars end with its main containers", exitTrue, sidecar},
	{"a pod may ask that its sidecars end with the containers that it names", exitNamed, sidecar},
	{"a job may ask that its sidecars stay", exitFalse, sidecar},
	{"a deployment's sidecar stays when its main container crashes", deploymentCrashes, sidecar},
	{"an annotation that makes no sense is said to the pod's author", badAnnotation, sidecar},
}

// jobOf is the manifest of a Job; jobFields and podFields are those of its spec
// and its pods', a line each.
func jobOf(name, jobFields, podFields string, containers ...string) string {
	return fmt.Sprintf(`
apiVersion: batch/v1
kind: Job
metadata: {name: %s}
spec:
%s`, name, indent(jobFields)) + templateOf(podFields, containers...) + "---\n"
}

// templateOf is the rest of the manifest of what makes pods.
func templateOf(podFields string, containers ...string) string {
	return fmt.Sprintf(`  template:
    metadata: {annotations: {}}
    spec:
      RUNTIME
      terminationGracePeriodSeconds: 5
%s      containers:
%s`, indent(indent(indent(podFields))), indent(indent(strings.Join(containers, ""))))
}

const (
	never     = "restartPolicy: Never\n"
	onFailure = "restartPolicy: OnFailure\n"
)

// asks is a script that needs the sidecar.
var asks = "curl -sS --fail --max-time " + curlPatience + " http://localhost:8080/"

// job is the Job as it is now.
func (e *env) job(name string) *batchv1.Job {
	e.Helper()
	var j batchv1.Job
	e.check(e.resources.Get(e.ctx, name, e.namespace, &j))
	return &j
}

// ends waits until the Job has this condition.
func (e *env) ends(job string, want batchv1.JobConditionType) {
	e.Helper()
	e.eventually(fmt.Sprintf("job %s is %s", job, want), func() bool {
		for _, c := range e.job(job).Status.Conditions {
			if c.Type == want && c.Status == corev1.ConditionTrue {
				return true
			}
		}
		return false
	})
}

// podsOf are those with this label.
func (e *env) podsOf(label, value string) []corev1.Pod {
	e.Helper()
	var list corev1.PodList
	e.check(e.resources.List(e.ctx, &list, resources.WithLabelSelector(label+"="+value)))
	return list.Items
}

// podOf is the one pod of a Job.
func (e *env) podOf(job string) *corev1.Pod {
	e.Helper()
	var pods []corev1.Pod
	e.eventually("job "+job+" has a pod", func() bool {
		pods = e.podsOf(batchv1.JobNameLabel, job)
		return len(pods) > 0
	})
	e.equal("pods of job "+job, len(pods), 1)
	return &pods[0]
}

// container is the state of a pod's container, of all kinds.
func (e *env) container(p *corev1.Pod, name string) corev1.ContainerStatus {
	e.Helper()
	for _, all := range [][]corev1.ContainerStatus{p.Status.ContainerStatuses, p.Status.InitContainerStatuses} {
		for _, c := range all {
			if c.Name == name {
				return c
			}
		}
	}
	return corev1.ContainerStatus{}
}

// exitCode is how a container ended, -1 when it has not.
func (e *env) exitCode(p *corev1.Pod, name string) int {
	e.Helper()
	if t := e.container(p, name).State.Terminated; t != nil {
		return int(t.ExitCode)
	}
	return -1
}

// restarted is how often a container was.
func (e *env) restarted(p *corev1.Pod, name string) int {
	e.Helper()
	return int(e.container(p, name).RestartCount)
}

func jobCompletes(e *env) {
	e.apply(jobOf("j", "", never, guest("side", "hello", "PORT=8080"), runs("main", asks)))
	e.ends("j", batchv1.JobComplete)
	p := e.podOf("j")
	e.equal("the pod", p.Status.Phase, corev1.PodSucceeded)
	e.equal("the sidecar's exit code", e.exitCode(p, "side"), 0)
	e.contains("the sidecar's log", e.logs(p.Name, "side"), "the pod's main containers are done: stopping")
}

func jobFails(e *env) {
	e.apply(jobOf("j", "backoffLimit: 1\n", never, guest("side", "hello", "PORT=8080"), runs("main", asks+"; exit 3")))
	e.ends("j", batchv1.JobFailed)
	pods := e.podsOf(batchv1.JobNameLabel, "j")
	e.equal("pods", len(pods), 2)
	for _, p := range pods {
		e.equal("the pod", p.Status.Phase, corev1.PodFailed)
		e.equal("the main container's exit code", e.exitCode(&p, "main"), 3)
		e.equal("the sidecar's exit code", e.exitCode(&p, "side"), 1)
		e.contains("the sidecar's log", e.logs(p.Name, "side"), "not all of them succeeded: stopping")
	}
}

func jobRestarts(e *env) {
	// kubelet restarts at once the first time, and after 10 s the second.
	e.apply(jobOf("j", "", onFailure+"volumes: [{name: v, emptyDir: {}}]\n", guest("side", "hello", "PORT=8080"),
		runs("main", asks+" || exit 9; echo x >>/v/tries; test $(wc -l </v/tries) = 3", "volumeMounts: [{name: v, mountPath: /v}]")))
	e.ends("j", batchv1.JobComplete)
	p := e.podOf("j")
	e.equal("the pod", p.Status.Phase, corev1.PodSucceeded)
	e.equal("the main container's restarts", e.restarted(p, "main"), 2)
	e.equal("the sidecar's restarts", e.restarted(p, "side"), 0)
	e.equal("the sidecar's exit code", e.exitCode(p, "side"), 0)
}

func jobDeadline(e *env) {
	e.apply(jobOf("j", "activeDeadlineSeconds: 3\n", never, guest("side", "hello", "PORT=8080"), mainWaits()))
	e.ends("j", batchv1.JobFailed)
	e.eventually("its pod is gone", func() bool { return len(e.podsOf(batchv1.JobNameLabel, "j")) == 0 })
}

func jobIndexed(e *env) {
	e.apply(jobOf("j", "completions: 3\nparallelism: 3\ncompletionMode: Indexed\n", never, guest("side", "echo", "PORT=8080"),
		runs("main", "curl -sS --fail --max-time "+curlPatience+" --data \"I am $JOB_COMPLETION_INDEX\" http://localhost:8080/")))
	e.ends("j", batchv1.JobComplete)
	e.equal("completed", e.job("j").Status.CompletedIndexes, "0-2")
	for _, p := range e.podsOf(batchv1.JobNameLabel, "j") {
		e.contains("its answer", e.logs(p.Name, "main"), "I am "+p.Annotations[batchv1.JobCompletionIndexAnnotation])
	}
}

func jobQuick(e *env) {
	e.apply(jobOf("j", "", never, runs("main", "true"), guest("side", "hello", "PORT=8080")))
	e.ends("j", batchv1.JobComplete)
}

func jobLate(e *env) {
	// A container that lacks a ConfigMap is not made before there is one, as one is not whose image is being pulled.
	e.apply(jobOf("j", "", never, guest("side", "hello", "PORT=8080"), runs("first", asks), runs("second", asks, "envFrom: [{configMapRef: {name: late}}]")))
	e.eventually("the sidecar has been alone for longer than the shim lingers", func() bool {
		done := e.container(e.podOf("j"), "first").State.Terminated
		return done != nil && time.Since(done.FinishedAt.Time).Seconds() > 6
	})
	e.equal("the sidecar's exit code", e.exitCode(e.podOf("j"), "side"), -1)
	e.kubectl("create", "configmap", "late")
	e.ends("j", batchv1.JobComplete)
}

func jobNative(e *env) {
	fields := onFailure + "initContainers:\n" + guest("side", "hello", "PORT=8080", "restartPolicy: Always") + runs("init", asks)
	e.apply(jobOf("j", "", fields, runs("main", asks, "envFrom: [{configMapRef: {name: late}}]")))
	e.eventually("the init container is done for longer than the shim lingers", func() bool {
		done := e.container(e.podOf("j"), "init").State.Terminated
		return done != nil && time.Since(done.FinishedAt.Time).Seconds() > 6
	})
	e.kubectl("create", "configmap", "late")
	e.ends("j", batchv1.JobComplete)
	p := e.podOf("j")
	e.equal("the sidecar's restarts", e.restarted(p, "side"), 0)
	e.equal("the sidecar's exit code", e.exitCode(p, "side"), 0)
}

func jobCommand(e *env) {
	e.apply(jobOf("j", "", never, guest("side", "hello", "PORT=8080"), guest("work", "args", "MAYFLY_TRIGGER=command")))
	e.ends("j", batchv1.JobComplete)
}

const everyMinute = `
apiVersion: batch/v1
kind: CronJob
metadata: {name: c}
spec:
  schedule: "* * * * *"
  suspend: %v
  jobTemplate:
    spec:
`

func cronJob(e *env) {
	e.apply(fmt.Sprintf(everyMinute, true) + indent(indent(templateOf(never, guest("side", "hello", "PORT=8080"), runs("main", asks)))))
	e.kubectl("create", "job", "j", "--from=cronjob/c")
	e.ends("j", batchv1.JobComplete)
}

func cronJobByTheClock(e *env) {
	e.apply(fmt.Sprintf(everyMinute, false) + indent(indent(templateOf(never, guest("side", "hello", "PORT=8080"), runs("main", asks)))))
	for range 2 { // eventually waits for a minute
		if e.kubectl("get", "cronjob", "c", "-o", "jsonpath={.status.lastScheduleTime}") != "" {
			break
		}
		_, _, _ = e.tryKubectl("wait", "cronjob/c", "--for=jsonpath={.status.lastScheduleTime}", "--timeout=70s")
	}
	e.eventually("a Job of its is done", func() bool {
		return e.kubectl("get", "cronjob", "c", "-o", "jsonpath={.status.lastSuccessfulTime}") != ""
	})
}

// annotated has the pod of a manifest say something to mayfly.
func annotated(manifest, name, value string) string {
	return strings.NewReplacer("annotations: {}", fmt.Sprintf("annotations: {mayfly.run/%s: %q}", name, value),
		"labels: {app", fmt.Sprintf("annotations: {mayfly.run/%s: %q}, labels: {app", name, value)).Replace(manifest)
}

// succeeds waits until all containers of the pod have ended well.
func (e *env) succeeds(pod string) {
	e.Helper()
	e.eventually("pod "+pod+" succeeds", func() bool { return e.pod(pod).Status.Phase == corev1.PodSucceeded })
}

func exitTrue(e *env) {
	e.apply(annotated(podOf("p", never, guest("side", "hello", "PORT=8080"), runs("main", asks)), "exit-with-main", "true"))
	e.succeeds("p")
}

func exitNamed(e *env) {
	e.apply(annotated(podOf("p", never, guest("side", "hello", "PORT=8080"), runs("app", asks), mainWaits()), "exit-with-main", "app"))
	e.eventually("the sidecar ends", func() bool { return e.exitCode(e.pod("p"), "side") == 0 })
	e.equal("the pod", e.pod("p").Status.Phase, corev1.PodRunning)
	if e.container(e.pod("p"), "main").State.Running == nil {
		e.Error("the container that is not named has ended, too")
	}
}

func exitFalse(e *env) {
	e.apply(annotated(jobOf("j", "", never, guest("side", "hello", "PORT=8080"), runs("main", asks)), "exit-with-main", "false"))
	e.eventually("the main container is done for longer than the shim lingers", func() bool {
		done := e.container(e.podOf("j"), "main").State.Terminated
		return done != nil && time.Since(done.FinishedAt.Time).Seconds() > 6
	})
	e.equal("the sidecar's exit code", e.exitCode(e.podOf("j"), "side"), -1)
}

// crashing is a Deployment whose main container fails once a second, and whose
// sidecar is beside it.
func crashing(name string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s}
spec:
  replicas: 1
  selector: {matchLabels: {app: %[1]s}}
`, name) + strings.Replace(templateOf("", guest("side", "hello", "PORT=8080"), runs("main", asks+"; exit 1")), "metadata: {", "metadata: {labels: {app: "+name+"}, ", 1)
}

func deploymentCrashes(e *env) {
	e.apply(crashing("d"))
	e.eventually("the main container is being held back for longer than the shim lingers", func() bool {
		pods := e.podsOf("app", "d")
		if len(pods) == 0 {
			return false
		}
		main := e.container(&pods[0], "main")
		last := main.LastTerminationState.Terminated
		return main.RestartCount > 0 && main.State.Waiting != nil && last != nil && time.Since(last.FinishedAt.Time).Seconds() > 6
	})
	side := e.container(&e.podsOf("app", "d")[0], "side")
	if side.RestartCount != 0 || side.State.Running == nil {
		e.Errorf("the sidecar: %+v", side)
	}
}

func badAnnotation(e *env) {
	e.apply(annotated(podOf("bad", never, guest("side", "hello", "PORT=8080")), "exit-with-main", "Yes"))
	e.eventually("its state says what is wrong", func() bool {
		c := e.container(e.pod("bad"), "side")
		return c.State.Terminated != nil && strings.Contains(c.State.Terminated.Message, `mayfly.run/exit-with-main="Yes": want true, false, or names of containers`)
	})
	e.apply(annotated(podOf("unknown", never, guest("side", "hello", "PORT=8080")), "exit-with-mains", "true"))
	e.ready("unknown")
	e.contains("the sidecar's log", e.logs("unknown", "side"), "mayfly.run/exit-with-mains: this mayfly knows no such annotation", "did you mean mayfly.run/exit-with-main?")
}
