//go:build linux

package cluster

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	environment "sigs.k8s.io/e2e-framework/pkg/env"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/features"
	"sigs.k8s.io/e2e-framework/pkg/types"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// scenario is something that must hold of mayfly on Kubernetes.
type scenario struct {
	name string // a sentence
	run  func(*env)
	kind kind
}

// kind tells where a scenario runs. They can be joined: alone|long.
type kind int

const (
	sidecar  kind = 1 << iota // has sidecars, so only mayfly can do it
	alone                     // disturbs the node: nothing beside it, and only on a cluster of our own
	long                      // takes minutes: only when asked for
	ordinary kind = 0         // only Linux containers: runc must do the same, and is the control
)

var scenarios = slices.Concat(networkScenarios, securityScenarios, volumeScenarios, badScenarios, probeScenarios, kubectlScenarios,
	orderScenarios, jobScenarios, rolloutScenarios, resourceScenarios, manyScenarios, nodeScenarios, exampleScenarios)

const (
	// once bounds one scenario, lengthy one that is long.
	once    = 2 * time.Minute
	lengthy = 15 * time.Minute
	// atOnce is how many run beside each other.
	atOnce = 4
)

// TestScenarios runs the list: what runc must do too with both runtimes, four
// at once, and then what disturbs the node, one after the other.
func TestScenarios(t *testing.T) {
	var c *Cluster
	file := *given
	if file == "" {
		if lacking := lab.Check(); lacking != nil {
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) { t.Skipf("this %v", lacking) })
			}
			return
		}
		c = own(t)
		file = c.Kubeconfig()
	}
	p, err := newPlace(c, file, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if c != nil {
		leavesNothing(t, c)
	}
	t.Cleanup(func() { p.settle(t) })
	var groups sync.WaitGroup
	for _, runtime := range []string{"runc", "mayfly"} {
		groups.Go(func() {
			t.Run(runtime, func(t *testing.T) {
				p.environment.TestInParallel(t, p.features(runtime, func(s scenario) bool { return s.kind&alone == 0 })...)
			})
		})
	}
	groups.Wait()
	if c != nil {
		t.Run("alone", func(t *testing.T) {
			p.environment.Test(t, p.features("mayfly", func(s scenario) bool { return s.kind&alone != 0 })...)
		})
	}
}

// own starts a cluster that ends with the test, with all images in it.
func own(t *testing.T) *Cluster {
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	install, err := cache.Containerd(*version)
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := copyPrograms(*binaries, bin); err != nil {
		t.Fatalf("%v; make host builds it", err)
	}
	c, err := Up(t.Context(), cache, Options{Install: install, Mayfly: bin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Down(); err != nil {
			t.Error(err)
		}
	})
	if err := c.ImportAll(t.Context(), cache); err != nil {
		t.Fatal(err)
	}
	return c
}

// leavesNothing fails the test in the end when the node is not as it was.
func leavesNothing(t *testing.T, c *Cluster) {
	before, err := c.Node.Settled()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.collect(context.Background()); err != nil {
			t.Error(err)
		}
		left, err := c.Node.Leaks(before)
		if err != nil {
			t.Error(err)
		}
		// kubelet gives this socket another name each time it starts.
		left = slices.DeleteFunc(left, func(l string) bool { return strings.Contains(l, "/kubelet/pod-resources/") })
		if len(left) > 0 {
			t.Errorf("something is left behind:\n%s", strings.Join(left, "\n"))
		}
	})
}

// collect removes what is kept of pods that were deleted, as kubelet does once
// a minute.
func (c *Cluster) collect(ctx context.Context) error {
	client, err := c.Containerd.CRI()
	if err != nil {
		return err
	}
	defer client.Close()
	pods, err := client.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return err
	}
	for _, p := range pods.GetItems() {
		if p.GetState() == cri.PodSandboxState_SANDBOX_NOTREADY {
			if _, err := client.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: p.GetId()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// features are the scenarios that are chosen, for one runtime.
func (p *place) features(runtime string, chosen func(scenario) bool) []types.Feature {
	var all []types.Feature
	for _, s := range scenarios {
		if !chosen(s) || runtime == "runc" && s.kind != ordinary || s.kind&long != 0 && !*runLong {
			continue
		}
		all = append(all, s.feature(p, runtime))
	}
	return all
}

// feature is the scenario in a namespace of its own.
func (s scenario) feature(p *place, runtime string) types.Feature {
	e := &env{cluster: p.cluster, place: p}
	if runtime != "runc" {
		e.runtime = runtime
	}
	return features.New(s.name).
		Setup(func(ctx context.Context, t *testing.T, cfg *envconf.Config) context.Context {
			p.slots <- struct{}{}
			t.Cleanup(func() { <-p.slots })
			e.T, e.ctx, e.cfg = t, ctx, cfg
			if s.kind&alone != 0 {
				p.settle(t) // of what ran before
			}
			e.begin(s.name)
			return ctx
		}).
		Assess("holds", func(ctx context.Context, t *testing.T, _ *envconf.Config) context.Context {
			patience := lab.Patience(once)
			if s.kind&long != 0 {
				patience = lab.Patience(lengthy)
			}
			limited, cancel := context.WithTimeout(ctx, patience)
			t.Cleanup(cancel)
			e.T, e.ctx = t, limited
			s.run(e)
			return ctx
		}).
		Teardown(func(ctx context.Context, t *testing.T, _ *envconf.Config) context.Context {
			e.T, e.ctx = t, ctx
			if t.Failed() {
				t.Log(e.diagnosis())
			}
			e.end()
			return ctx
		}).
		Feature()
}

// place is where scenarios run.
type place struct {
	cluster     *Cluster // nil when it is not ours
	kubeconfig  string
	kubectl     string
	kubecache   string // kubectl's, which would else be in the user's home
	environment environment.Environment
	slots       chan struct{} // one is taken for each scenario that runs
}

func newPlace(c *Cluster, kubeconfig, dir string) (*place, error) {
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		return nil, err
	}
	k8s, err := cache.Kubernetes()
	if err != nil {
		return nil, err
	}
	cfg, err := connect(kubeconfig)
	if err != nil {
		return nil, err
	}
	return &place{
		cluster: c, kubeconfig: kubeconfig, kubectl: k8s.Program("kubectl"), kubecache: dir,
		environment: environment.NewWithConfig(cfg), slots: make(chan struct{}, atOnce),
	}, nil
}

// ours marks the namespaces of scenarios.
const ours = "mayfly.run/scenario"

// settle waits until the namespaces of all scenarios are gone.
func (p *place) settle(t *testing.T) {
	resources := p.environment.EnvConf().Client().Resources()
	var left []string
	for end := time.Now().Add(lab.Patience(time.Minute)); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var list corev1.NamespaceList
		if err := resources.List(context.Background(), &list, func(o *metav1.ListOptions) { o.LabelSelector = ours }); err != nil {
			t.Errorf("list namespaces: %v", err)
			return
		}
		if len(list.Items) == 0 {
			return
		}
		left = nil
		for _, n := range list.Items {
			left = append(left, fmt.Sprintf("%s: %v", n.Name, n.Status.Conditions))
		}
	}
	t.Errorf("namespaces do not go away:\n%s", strings.Join(left, "\n"))
}
