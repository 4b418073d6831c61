package ociimage

import (
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// DefaultUser is who a sidecar runs as: nobody in particular, never root.
const DefaultUser = "65532:65532"

// Labels an app's image carries, so that its shape shows without unpacking it.
const (
	LabelTrigger = "run.mayfly.trigger"
	LabelPort    = "run.mayfly.port"
)

// App is a sidecar to be packed: a module, what lies beside it, its defaults.
type App struct {
	Name   string // the module's file name, at the root of the image
	Module []byte
	Root   Tree // files the guest finds beside the module

	Trigger   string
	Port      int // 0: none
	Env       []string
	Labels    map[string]string
	Platforms []v1.Platform
}

// Environment is the environment of the image. The trigger and the port are in
// it: a container inherits it, so the shim and the engine find the defaults where
// they look for everything else, and what a pod says about the same variable
// wins. Env comes after and wins too.
func (a App) Environment() []string {
	env := []string{"MAYFLY_TRIGGER=" + a.Trigger}
	if a.Port != 0 {
		env = append(env, "PORT="+strconv.Itoa(a.Port))
	}
	return MergeEnv(env, a.Env)
}

// Spec lays the app out as an image.
func (a App) Spec() (Spec, error) {
	file := "/" + clean(path.Base(a.Name))
	if _, ok := a.Root.entries[".mayfly"]; ok {
		return Spec{}, fmt.Errorf("add to the image: /.mayfly is where a node puts the engine, and hides what is there: use another directory")
	}
	s := Spec{Root: Tree{entries: maps.Clone(a.Root.entries)}, Platforms: a.Platforms}
	if err := s.Root.AddBytes(file, a.Module, 0o644); err != nil {
		return Spec{}, err
	}
	env := a.Environment()
	labels := map[string]string{
		"org.opencontainers.image.title": strings.TrimSuffix(path.Base(file), ".wasm"),
		LabelTrigger:                     LookupEnv(env, "MAYFLY_TRIGGER"),
	}
	s.Config = v1.Config{User: DefaultUser, Entrypoint: []string{file}, WorkingDir: "/", Env: env, Labels: labels}
	if port := LookupEnv(env, "PORT"); port != "" {
		labels[LabelPort] = port
		s.Config.ExposedPorts = map[string]struct{}{port + "/tcp": {}}
	}
	maps.Copy(labels, a.Labels)
	return s, nil
}

// MergeEnv adds extra to base, both KEY=VALUE; of two that set the same variable the last wins
// and takes the place of the first.
func MergeEnv(base, extra []string) []string {
	var env []string
	at := map[string]int{}
	for _, kv := range append(append([]string{}, base...), extra...) {
		key, _, _ := strings.Cut(kv, "=")
		if i, ok := at[key]; ok {
			env[i] = kv
			continue
		}
		at[key] = len(env)
		env = append(env, kv)
	}
	return env
}

// LookupEnv is the value of key, empty when it is not set.
func LookupEnv(env []string, key string) string {
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == key {
			return v
		}
	}
	return ""
}

// HostPlatform is Linux on this machine's kind of processor: what a node that
// is like this machine, or a virtual one on it, would pull.
func HostPlatform() v1.Platform { return v1.Platform{OS: "linux", Architecture: runtime.GOARCH} }

// architectures are the kinds of processor that Kubernetes nodes have, each by the
// one name that a containerd on such a node looks for. Under any other an image
// would be made, pushed, and found by no node.
var architectures = []string{"386", "amd64", "arm/v6", "arm/v7", "arm64", "loong64", "mips64le", "ppc64le", "riscv64", "s390x"}

// otherNames are those that containerd takes to be the same.
var otherNames = map[string]string{"arm": "arm/v7", "arm64/v8": "arm64", "amd64/v1": "amd64"}

// ParsePlatform reads linux/ARCH[/VARIANT]. Other systems are refused: the
// holder and the engine in a sidecar's container are Linux programs, and a
// containerd that finds wasi/wasm unpacks nothing.
func ParsePlatform(s string) (v1.Platform, error) {
	arch, ok := strings.CutPrefix(s, "linux/")
	if !ok || arch == "" {
		return v1.Platform{}, fmt.Errorf("platform %q: want linux/ARCH, as in linux/amd64 or linux/arm64 (a sidecar's container is a Linux one, also where it runs Wasm)", s)
	}
	if name, ok := otherNames[arch]; ok {
		arch = name
	}
	if !slices.Contains(architectures, arch) {
		return v1.Platform{}, fmt.Errorf("platform %q: no such architecture: want linux/ and one of %s", s, strings.Join(architectures, ", "))
	}
	p := v1.Platform{OS: "linux"}
	p.Architecture, p.Variant, _ = strings.Cut(arch, "/")
	return p, nil
}
