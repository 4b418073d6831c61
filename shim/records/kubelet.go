//go:build linux

package records

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

// ErrUnknown is returned where kubelet cannot be asked about the pod, today or later.
var ErrUnknown = errors.New("kubelet does not tell")

// ErrAbsent is the [ErrUnknown] of a kubelet that does not list the pod. One that has just started does not list any yet.
var ErrAbsent = fmt.Errorf("%w: it does not list the pod", ErrUnknown)

// Containers returns the names of all containers in a pod's specification, started or not. Of its init containers those are
// among them that run beside the others (restartPolicy: Always). It returns an error wrapping [ErrUnknown] when kubelet, whose directory is
// dir, has no such service, or [ErrAbsent] when it does not know the pod.
//
// The question is meant for monitoring of devices and is answered since Kubernetes 1.20, everywhere and by default since 1.28.
func Containers(ctx context.Context, dir, namespace, pod string) ([]string, error) {
	socket := filepath.Join(dir, "pod-resources", "kubelet.sock")
	var st unix.Stat_t
	// What is the shim's user's own was not put there by a pod that shows another directory: dir is where its hosts file comes from.
	if err := unix.Lstat(socket, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK || int(st.Uid) != unix.Geteuid() {
		return nil, fmt.Errorf("ask kubelet at %s for the pod's containers: %w", socket, ErrUnknown)
	}
	answer, err := call(ctx, socket, "/v1.PodResourcesLister/List", nil)
	if err == nil {
		var names []string
		if names, err = parseContainers(answer, namespace, pod); err == nil && len(names) == 0 {
			err = ErrAbsent
		}
		if err == nil {
			return names, nil
		}
	}
	if status.Code(err) == codes.Unimplemented {
		err = ErrUnknown
	}
	return nil, fmt.Errorf("ask kubelet at %s for the containers of pod %s/%s: %w", socket, namespace, pod, err)
}

// parseContainers reads the names of one pod's containers in a ListPodResourcesResponse, none when the pod is not in it.
func parseContainers(answer []byte, namespace, pod string) ([]string, error) {
	const (
		podField       = 1
		nameField      = 1
		namespaceField = 2
		containerField = 3
	)
	var names []string
	err := eachBytes(answer, func(field protowire.Number, resources []byte) error {
		if field != podField {
			return nil
		}
		var its []string
		var itsName, itsNamespace string
		err := eachBytes(resources, func(field protowire.Number, value []byte) error {
			switch field {
			case nameField:
				itsName = string(value)
			case namespaceField:
				itsNamespace = string(value)
			case containerField:
				return eachBytes(value, func(field protowire.Number, name []byte) error {
					if field == nameField {
						its = append(its, string(name))
					}
					return nil
				})
			}
			return nil
		})
		if itsName == pod && itsNamespace == namespace {
			names = its
		}
		return err
	})
	return names, err
}
