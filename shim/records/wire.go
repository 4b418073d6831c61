//go:build linux

package records

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"
)

// maxAnswer bounds an answer, in bytes. Kubelet's is about all pods of the node.
const maxAnswer = 16 << 20

var errMalformed = errors.New("malformed answer")

// call asks one question of the server at a unix socket.
func call(ctx context.Context, socket, method string, request []byte) ([]byte, error) {
	c, err := grpc.NewClient("unix://"+socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(verbatim{}), grpc.MaxCallRecvMsgSize(maxAnswer)))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var answer []byte
	err = c.Invoke(ctx, method, request, &answer)
	return answer, err
}

// verbatim is a gRPC codec that leaves messages as they are.
type verbatim struct{}

func (verbatim) Marshal(v any) ([]byte, error) { return v.([]byte), nil }

func (verbatim) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = bytes.Clone(b)
	return nil
}

// Name is that of the messages' form, which the other side needs to know.
func (verbatim) Name() string { return "proto" }

// eachBytes calls f with every field of a message that is a string or a message itself. Fields of other types are passed over.
func eachBytes(message []byte, f func(field protowire.Number, value []byte) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("%w: %w", errMalformed, protowire.ParseError(n))
		}
		message = message[n:]
		if kind == protowire.BytesType {
			var value []byte
			if value, n = protowire.ConsumeBytes(message); n >= 0 {
				if err := f(field, value); err != nil {
					return err
				}
			}
		} else {
			n = protowire.ConsumeFieldValue(field, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("%w: %w", errMalformed, protowire.ParseError(n))
		}
		message = message[n:]
	}
	return nil
}
