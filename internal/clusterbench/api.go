package clusterbench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// api is a cluster, and the namespace in it that is this run's.
type api struct {
	config    *rest.Config
	core      rest.Interface
	context   string
	namespace string
}

// maxAnswer bounds what is read of a kubelet.
const maxAnswer = 64 << 20

// connect finds the cluster. Nothing is asked of it yet.
func connect(o Options) (*api, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: o.Context})
	config, err := loader.ClientConfig()
	switch {
	case err != nil && clientcmd.IsEmptyConfig(err):
		return nil, fmt.Errorf("find the cluster: no kubeconfig names one: set KUBECONFIG or --kubeconfig, and --context")
	case err != nil && o.Kubeconfig != "" && o.Context == "":
		return nil, fmt.Errorf("find the cluster: %w: want a kubeconfig, as kubectl takes it", err)
	case err != nil:
		return nil, fmt.Errorf("find the cluster: %w: kubectl config get-contexts lists what there is", err)
	}
	name := o.Context
	if raw, err := loader.RawConfig(); err == nil && name == "" {
		name = raw.CurrentContext
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), nodev1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	config.APIPath, config.GroupVersion = "/api", &corev1.SchemeGroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.ContentType = runtime.ContentTypeProtobuf
	config.UserAgent = "mayfly-bench"
	config.QPS, config.Burst = 100, 200 // or the client makes the pods of a run wait for each other
	config.WarningHandler = rest.NoWarnings{}
	core, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	return &api{config: config, core: core, context: name}, nil
}

// class asks whether the cluster is there and knows the RuntimeClass.
func (a *api) class(ctx context.Context, name string) (*nodev1.RuntimeClass, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	class := &nodev1.RuntimeClass{}
	err := a.core.Get().AbsPath("/apis/node.k8s.io/v1/runtimeclasses/" + name).Do(ctx).Into(class)
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("the cluster has no RuntimeClass %s: install mayfly on the nodes and apply examples/runtimeclass.yaml, or name another with --runtime-class", name)
	case err != nil:
		return nil, fmt.Errorf("ask the cluster at %s: %w", a.config.Host, err)
	}
	return class, nil
}

// version is the control plane's.
func (a *api) version(ctx context.Context) string {
	text, err := a.core.Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return "unknown"
	}
	_, rest, _ := strings.Cut(string(text), `"gitVersion": "`)
	version, _, _ := strings.Cut(rest, `"`)
	return version
}

// create makes the namespace, and waits until pods can be in it.
func (a *api) create(ctx context.Context) error {
	a.namespace = "mayfly-bench-" + strings.ToLower(rand.Text()[:6])
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: a.namespace, Labels: map[string]string{
		"app.kubernetes.io/managed-by":       "mayfly-bench",
		"pod-security.kubernetes.io/enforce": "privileged", // one pod reads the node's /proc; nginx is root
	}}}
	if err := a.core.Post().Resource("namespaces").Body(ns).Do(ctx).Error(); err != nil {
		return fmt.Errorf("create the namespace %s: %w", a.namespace, err)
	}
	for end := time.Now().Add(time.Minute); ; {
		err := a.core.Get().Namespace(a.namespace).Resource("serviceaccounts").Name("default").Do(ctx).Error()
		if err == nil {
			return nil
		}
		if !apierrors.IsNotFound(err) || time.Now().After(end) {
			return fmt.Errorf("wait for the namespace's ServiceAccount, which the controller manager makes: %w", err)
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// remove deletes the namespace with all that is in it, and waits until it is gone.
func (a *api) remove(ctx context.Context) error {
	if err := a.core.Delete().Resource("namespaces").Name(a.namespace).Do(ctx).Error(); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the namespace %s: %w: kubectl delete namespace %s does it", a.namespace, err, a.namespace)
	}
	for {
		err := a.core.Get().Resource("namespaces").Name(a.namespace).Do(ctx).Error()
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			return fmt.Errorf("the namespace %s is being deleted, but whether it is gone may not be asked: %w: examples/bench-role.yaml has the rights that a run needs", a.namespace, err)
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return fmt.Errorf("the namespace %s is being deleted, but is still there: kubectl get pods --namespace %s shows what holds it", a.namespace, a.namespace)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
