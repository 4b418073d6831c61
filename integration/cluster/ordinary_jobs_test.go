//go:build linux

package cluster

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

var ordinaryJobScenarios = []scenario{
	{"jobs of ordinary containers complete, fail as often as they may, and end at their deadline", ordinaryJobs, ordinary},
	{"an ordinary sidecar among init containers ends well after the main container", ordinaryNative, ordinary},
}

func ordinaryJobs(e *env) {
	e.apply(jobOf("indexed", "completions: 2\nparallelism: 2\ncompletionMode: Indexed\n", never, runs("main", "echo I am $JOB_COMPLETION_INDEX")) +
		jobOf("fails", "backoffLimit: 0\n", never, runs("main", "exit 3"), runs("other", "true")) +
		jobOf("tries", "backoffLimit: 1\n", onFailure, runs("main", "exit 3")) +
		jobOf("late", "activeDeadlineSeconds: 2\n", never, mainWaits()))
	e.ends("indexed", batchv1.JobComplete)
	e.equal("completed", e.job("indexed").Status.CompletedIndexes, "0,1")
	for _, p := range e.podsOf(batchv1.JobNameLabel, "indexed") {
		e.equal("its log", e.logs(p.Name, "main"), "I am "+p.Annotations[batchv1.JobCompletionIndexAnnotation]+"\n")
	}
	e.ends("fails", batchv1.JobFailed)
	p := e.podOf("fails")
	e.equal("the pod", p.Status.Phase, corev1.PodFailed)
	e.equal("the exit code", e.exitCode(p, "main"), 3)
	e.equal("the other's exit code", e.exitCode(p, "other"), 0)
	for job, reason := range map[string]string{"tries": batchv1.JobReasonBackoffLimitExceeded, "late": batchv1.JobReasonDeadlineExceeded} {
		e.ends(job, batchv1.JobFailed)
		e.contains("why "+job+" failed", e.kubectl("get", "job", job, "-o", "jsonpath={.status.conditions[*].reason}"), reason)
		e.eventually("its pod is gone", func() bool { return len(e.podsOf(batchv1.JobNameLabel, job)) == 0 })
	}
}

func ordinaryNative(e *env) {
	side := runs("side", "trap 'echo told; exit 0' TERM; touch /up; sleep 3600 & wait", "restartPolicy: Always",
		"startupProbe: {exec: {command: [test, -e, /up]}"+often+"}")
	e.apply(jobOf("j", "", never+"initContainers:\n"+side+runs("init", "true"), runs("main", "echo done")))
	e.ends("j", batchv1.JobComplete)
	p := e.podOf("j")
	e.equal("the pod", p.Status.Phase, corev1.PodSucceeded)
	e.equal("the sidecar's restarts", e.restarted(p, "side"), 0)
	e.equal("the sidecar's exit code", e.exitCode(p, "side"), 0)
	e.equal("the sidecar's log", e.logs(p.Name, "side"), "told\n")
	main, beside := e.container(p, "main").State.Terminated, e.container(p, "side").State.Terminated
	if beside.FinishedAt.Before(&main.FinishedAt) {
		e.Errorf("the sidecar ended at %s, before %s", beside.FinishedAt, main.FinishedAt)
	}
}
