//go:build linux

package lab

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// CRI is kubelet's view of a containerd.
type CRI struct {
	cri.RuntimeServiceClient
	Images cri.ImageServiceClient

	containerd *Containerd
	conn       *grpc.ClientConn
}

// CRI connects to the node's containerd from outside the node.
func (c *Containerd) CRI() (*CRI, error) {
	conn, err := grpc.NewClient("passthrough:///containerd",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return c.Node.Dial(ctx, Socket) }))
	if err != nil {
		return nil, fmt.Errorf("connect to containerd: %w", err)
	}
	return &CRI{cri.NewRuntimeServiceClient(conn), cri.NewImageServiceClient(conn), c, conn}, nil
}

// Close closes the connection.
func (c *CRI) Close() error { return c.conn.Close() }

// Ready returns an error until pods can be made.
func (c *CRI) Ready(ctx context.Context) error {
	st, err := c.Status(ctx, &cri.StatusRequest{})
	if err != nil {
		return err
	}
	for _, cond := range st.GetStatus().GetConditions() {
		// Others than these are advice, such as on what is deprecated.
		needed := cond.GetType() == cri.RuntimeReady || cond.GetType() == cri.NetworkReady
		if needed && !cond.GetStatus() {
			return fmt.Errorf("%s: %s: %s", cond.GetType(), cond.GetReason(), cond.GetMessage())
		}
	}
	return nil
}

// WaitImage waits until the CRI service knows an image.
func (c *CRI) WaitImage(ctx context.Context, ref string) error {
	ctx, cancel := context.WithTimeout(ctx, Patience(20*time.Second))
	defer cancel()
	for {
		st, err := c.Images.ImageStatus(ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: ref}})
		if err == nil && st.GetImage() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("image %s does not appear: %w", ref, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
