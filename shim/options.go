//go:build linux

package shim

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/typeurl/v2"
	"github.com/pelletier/go-toml/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// maxOptions bounds the file that runtime options may be in, in bytes.
const maxOptions = 1 << 20

// runcOptions reads runtime options, whatever their form. containerd's CRI plugin knows the options of runc's own shim only; for
// any other runtime it passes the table of its configuration on as TOML, or the path of a file.
func runcOptions(value typeurl.Any) (*options.Options, error) {
	o := &options.Options{}
	if value == nil || len(value.GetValue()) == 0 {
		return o, nil
	}
	v, err := typeurl.UnmarshalAny(value)
	if err != nil {
		return nil, fmt.Errorf("read runtime options: %w", err)
	}
	switch v := v.(type) {
	case *options.Options:
		return v, nil
	case *runtimeoptions.Options:
		return fromTable(v)
	}
	return nil, fmt.Errorf("read runtime options: of type %s, want those of runc", value.GetTypeUrl())
}

// fromTable reads the options as an operator writes them.
func fromTable(r *runtimeoptions.Options) (*options.Options, error) {
	table, from, err := readTable(r)
	if err != nil {
		return nil, err
	}
	o := &options.Options{}
	if err := toml.Unmarshal(table, o); err != nil {
		return nil, fmt.Errorf("read runtime options from %s: %w; they are those of runc, for example SystemdCgroup = true", from, err)
	}
	return o, nil
}

// readTable returns the options' text and where it is from.
func readTable(r *runtimeoptions.Options) (table []byte, from string, err error) {
	table, from = r.GetConfigBody(), "containerd's configuration"
	if path := r.GetConfigPath(); path != "" {
		if table, err = readOptionsFile(path); err != nil {
			return nil, "", err
		}
		from = path
	}
	return table, from, nil
}

func readOptionsFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read runtime options: ConfigPath: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxOptions+1))
	if err != nil {
		return nil, fmt.Errorf("read runtime options: ConfigPath: %w", err)
	}
	if len(b) > maxOptions {
		return nil, fmt.Errorf("read runtime options: %s is larger than %d KiB", path, maxOptions>>10)
	}
	return b, nil
}

// toRuncOptions makes of any runtime options what the runc task service takes, nil of none. That systemd makes the cgroup need not stand
// in them: the bundle shows it.
func toRuncOptions(value *anypb.Any, systemd bool) (*anypb.Any, error) {
	if len(value.GetValue()) == 0 && !systemd {
		return nil, nil
	}
	o, err := runcOptions(value)
	if err != nil {
		return nil, err
	}
	o.SystemdCgroup = o.SystemdCgroup || systemd
	return typeurl.MarshalAnyToProto(o)
}

// translateOptions is toRuncOptions for options on the way to the standard input of a command, which knows the cgroup by then.
func translateOptions(stdin io.Reader) (io.Reader, error) {
	b, err := io.ReadAll(io.LimitReader(stdin, maxBootstrap))
	if err != nil {
		return nil, fmt.Errorf("read runtime options: %w", err)
	}
	var value anypb.Any
	if err := proto.Unmarshal(b, &value); err != nil {
		return nil, fmt.Errorf("read runtime options: %w", err)
	}
	translated, err := toRuncOptions(&value, false)
	if err != nil || translated == nil {
		return bytes.NewReader(nil), err
	}
	if b, err = proto.Marshal(translated); err != nil {
		return nil, err
	}
	return bytes.NewReader(b), nil
}
