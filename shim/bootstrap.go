//go:build linux

package shim

import (
	"encoding/json"
	"fmt"
	"io"

	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// maxBootstrap bounds what start reads from containerd, in bytes.
const maxBootstrap = 10 << 20

// dialect is how a containerd asks for a shim and reads the answer. It changed twice, and one shim binary serves all.
type dialect int

const (
	// plain: containerd 1.6. Runtime options on stdin, the bare address as the answer; JSON would be taken for an address.
	plain dialect = iota
	// jsonAnswer: containerd 1.7 to 2.2. Runtime options on stdin, a JSON object as the answer.
	jsonAnswer
	// protobuf: containerd 2.3 and later. BootstrapParams on stdin, BootstrapResult as the answer.
	protobuf
)

// request is what containerd asks of start, whatever its dialect.
type request struct {
	dialect      dialect
	ttrpcAddress string
	grpcAddress  string
	socketDir    string // "" for the default
	debug        bool
	options      *options.Options // never nil
}

// readRequest reads containerd's request from stdin, flags and environment.
//
// Runtime options, an Any, can parse as BootstrapParams; so the instance named in the message must be the one on the command line.
func readRequest(f flags, stdin io.Reader, getenv func(string) string) (*request, error) {
	input, err := io.ReadAll(io.LimitReader(stdin, maxBootstrap))
	if err != nil {
		return nil, fmt.Errorf("read the request from containerd: %w", err)
	}
	r := &request{
		ttrpcAddress: getenv("TTRPC_ADDRESS"),
		grpcAddress:  f.address,
		debug:        f.debug,
		options:      &options.Options{},
	}
	var params bootapi.BootstrapParams
	if proto.Unmarshal(input, &params) == nil && params.GetInstanceID() == f.id && params.GetNamespace() == f.namespace && f.id != "" {
		return r, r.fromParams(&params)
	}
	if getenv("MAX_SHIM_VERSION") != "" && getenv("NAMESPACE") == f.namespace {
		r.dialect = jsonAnswer
	}
	return r, r.fromOptions(input)
}

func (r *request) fromParams(params *bootapi.BootstrapParams) error {
	r.dialect = protobuf
	r.socketDir = params.GetSocketDir()
	r.debug = r.debug || params.GetLogLevel() <= bootapi.LogLevel_LOG_LEVEL_DEBUG
	if a := params.GetContainerdTtrpcAddress(); a != "" {
		r.ttrpcAddress = a
	}
	if a := params.GetContainerdGrpcAddress(); a != "" {
		r.grpcAddress = a
	}
	return r.fromExtensions(params)
}

// fromExtensions takes the runtime options from among what comes with the parameters.
func (r *request) fromExtensions(params *bootapi.BootstrapParams) (err error) {
	if found, err := params.FindExtension(r.options); found || err != nil {
		return err
	}
	var table runtimeoptions.Options
	found, err := params.FindExtension(&table)
	if found && err == nil {
		r.options, err = fromTable(&table)
	}
	return err
}

func (r *request) fromOptions(input []byte) error {
	var value anypb.Any
	if err := proto.Unmarshal(input, &value); err != nil {
		return fmt.Errorf("read runtime options: %w", err)
	}
	o, err := runcOptions(&value)
	if err != nil {
		return err
	}
	r.options = o
	return nil
}

// answer writes the shim's address as containerd expects it.
func (r *request) answer(w io.Writer, address string) error {
	var b []byte
	var err error
	switch r.dialect {
	case protobuf:
		b, err = proto.Marshal(&bootapi.BootstrapResult{Version: 3, Address: address, Protocol: "ttrpc"})
	case jsonAnswer:
		// Version 2 of the task API: 1.7 knows no other, and 2.0 to 2.2 speak it too.
		b, err = json.Marshal(struct {
			Version  int    `json:"version"`
			Address  string `json:"address"`
			Protocol string `json:"protocol"`
		}{2, address, "ttrpc"})
	default:
		b = []byte(address)
	}
	if err != nil {
		return fmt.Errorf("write the answer to containerd: %w", err)
	}
	_, err = w.Write(b)
	return err
}
