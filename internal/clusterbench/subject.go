package clusterbench

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
)

// The names of subjects that are no guests. The others are those of the list of images.
const (
	nobody = "none"   // a pod without a sidecar
	server = "server" // what ratios are to
	static = "static" // the client's own cost
)

// subject is what figures are of: what is in a pod beside the main container.
type subject struct {
	name, title string
	image       *Image // nil: nothing
	port        int    // where it answers
}

// The ports of sidecars. nginx has the one of its image's configuration.
const (
	guestPort  = 8081 // and the next
	serverPort = 8090
	nginxPort  = 80
)

// subjects are all, guests first, and nobody at the end.
func subjects(images []Image, guests []string) (all []subject) {
	port := guestPort
	for _, role := range []string{RoleGuest, RoleServer, RoleNginx} {
		for i := range images {
			image := &images[i]
			if image.Role != role || role == RoleGuest && guests != nil && !slices.Contains(guests, image.Name) {
				continue
			}
			s := subject{name: image.Name, title: image.Title, image: image}
			switch role {
			case RoleGuest:
				s.port = port
				port++
			case RoleServer:
				s.name, s.port = server, serverPort
			case RoleNginx:
				s.port = nginxPort
			}
			all = append(all, s)
		}
	}
	return append(all, subject{name: nobody, title: "no sidecar"})
}

// isGuest tells whether it is a sidecar of mayfly's.
func (s subject) isGuest() bool { return s.image != nil && s.image.Role == RoleGuest }

// want is a part of every right answer.
func (s subject) want() string {
	if s.image != nil && s.image.Role == RoleNginx {
		return "nginx"
	}
	return `"unix":`
}

// turn asks it once, on a new connection.
func (s subject) turn() order.Turn {
	return order.Turn{Name: s.name, Port: s.port, Want: s.want(), Clients: 1, Anew: true}
}

// container is the one that a pod has of it. An engine leaves after idle; a negative time is never.
func (s subject) container(idle time.Duration) corev1.Container {
	c := corev1.Container{Name: s.name, Image: s.image.Ref, ImagePullPolicy: corev1.PullIfNotPresent}
	if s.image.Role != RoleNginx {
		c.Env = []corev1.EnvVar{{Name: "PORT", Value: fmt.Sprint(s.port)}}
	}
	if s.isGuest() {
		timeout := idle.String()
		if idle < 0 {
			timeout = "never"
		}
		c.Env = append(c.Env, corev1.EnvVar{Name: "MAYFLY_IDLE_TIMEOUT", Value: timeout})
	}
	return c
}

// never is an idle timeout that does not end.
const never = time.Duration(-1)

// spec is a pod to be made.
type spec struct {
	name     string
	subjects []subject // less those that are nobody
	idle     time.Duration
	node     string // "": any
	shared   bool   // the main container sees the processes of the others
	static   bool   // with a container that answers by itself
}

// pod is the spec for Kubernetes: sidecars first, the main container after them.
func (r *run) pod(s spec) *corev1.Pod {
	no := false
	grace := int64(5)
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: r.api.namespace},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: &no, EnableServiceLinks: &no, TerminationGracePeriodSeconds: &grace,
			RestartPolicy: corev1.RestartPolicyNever,
		},
	}
	if s.shared {
		yes := true
		p.Spec.ShareProcessNamespace = &yes
	}
	if s.node != "" {
		p.Spec.Affinity = on(s.node)
	}
	for _, sub := range s.subjects {
		if sub.image == nil {
			continue
		}
		if sub.isGuest() {
			p.Spec.RuntimeClassName = &r.options.RuntimeClass
		}
		p.Spec.Containers = append(p.Spec.Containers, sub.container(s.idle))
	}
	if p.Spec.RuntimeClassName == nil { // it has to stand where those of the class do
		p.Spec.NodeSelector, p.Spec.Tolerations = r.where.NodeSelector, r.where.Tolerations
	}
	main := corev1.Container{Name: mainContainer, Image: r.agent.Ref, ImagePullPolicy: corev1.PullIfNotPresent}
	if s.static {
		answers := main
		answers.Name, answers.Args = static, []string{"static"}
		p.Spec.Containers = append(p.Spec.Containers, answers)
	}
	p.Spec.Containers = append(p.Spec.Containers, main)
	return p
}
