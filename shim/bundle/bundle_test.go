//go:build linux

package bundle

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// makeBundle writes a bundle with this configuration and these files in its root filesystem.
func makeBundle(t *testing.T, config string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "rootfs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		p := filepath.Join(dir, "rootfs", name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			if err := os.Symlink(target, p); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	coreModule = "\x00asm\x01\x00\x00\x00rest"
	component  = "\x00asm\x0d\x00\x01\x00rest"
)

func TestASidecarIsKnownByItsFirstBytes(t *testing.T) {
	for _, tc := range []struct {
		name  string
		args  string
		files map[string]string
		want  *Entrypoint
	}{
		{"a core module", `["/app.wasm"]`, map[string]string{"app.wasm": coreModule}, &Entrypoint{Path: "/app.wasm"}},
		{"a component", `["/app.wasm"]`, map[string]string{"app.wasm": component}, &Entrypoint{Path: "/app.wasm", Component: true}},
		{"a module of another name", `["/bin/app"]`, map[string]string{"bin/app": coreModule}, &Entrypoint{Path: "/bin/app"}},
		{"a relative path", `["./app.wasm"]`, map[string]string{"work/app.wasm": coreModule}, &Entrypoint{Path: "/work/app.wasm"}},
		{"a name on the PATH", `["app.wasm"]`, map[string]string{"opt/bin/app.wasm": coreModule}, &Entrypoint{Path: "/opt/bin/app.wasm"}},
		{"an absolute link within the image", `["/app.wasm"]`, map[string]string{"app.wasm": "-> /lib/real.wasm", "lib/real.wasm": coreModule}, &Entrypoint{Path: "/app.wasm"}},
		{"a truncated preamble", `["/app.wasm"]`, map[string]string{"app.wasm": "\x00asm"}, &Entrypoint{Path: "/app.wasm"}},
		{"a program", `["/bin/sh"]`, map[string]string{"bin/sh": "\x7fELF"}, nil},
		{"a script that is called .wasm", `["/app.wasm"]`, map[string]string{"app.wasm": "#!/bin/sh"}, nil},
		{"no such file", `["/app.wasm"]`, nil, nil},
		{"a link out of the image", `["/app.wasm"]`, map[string]string{"app.wasm": "-> ../../../../../../etc/passwd"}, nil},
		{"a link to itself", `["/app.wasm"]`, map[string]string{"app.wasm": "-> /app.wasm"}, nil},
		{"a directory", `["/app.wasm"]`, map[string]string{"app.wasm/x": ""}, nil},
		{"no arguments", `[]`, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			config := `{"root":{"path":"rootfs"},"process":{"cwd":"/work","env":["PATH=/nowhere:/opt/bin"],"args":` + tc.args + `}}`
			s, err := Read(makeBundle(t, config, tc.files))
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.FindEntrypoint()
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestAFifoAsEntrypointDoesNotBlock(t *testing.T) {
	dir := makeBundle(t, `{"root":{"path":"rootfs"},"process":{"args":["/app.wasm"]}}`, nil)
	if err := unix.Mkfifo(filepath.Join(dir, "rootfs", "app.wasm"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := s.FindEntrypoint(); e != nil || err != nil {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestWhatIsCalledWasmAndIsNoneIsRefusedInWords(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"empty":  {"", "the file is empty"},
		"text":   {"hello there", "starts with 68 65 6c 6c"},
		"zeroes": {strings.Repeat("\x00", 4096), "starts with 00 00 00 00"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read(makeBundle(t, `{"root":{"path":"rootfs"},"process":{"args":["/app.wasm"]}}`, map[string]string{"app.wasm": tc.content}))
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.FindEntrypoint()
			if !errors.Is(err, ErrNotWasm) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRewritingKeepsWhatItDoesNotKnow(t *testing.T) {
	dir := makeBundle(t, `{
		"ociVersion":"1.3.0","fromTheFuture":{"a":1},
		"root":{"path":"rootfs","readonly":true},
		"annotations":{"mayfly.run/colour":"red","example.com/x":"y"},
		"process":{"args":["/app.wasm","x"],"user":{"uid":65532,"gid":7},"noNewPrivileges":true,"newField":[1]},
		"mounts":[{"destination":"/proc","type":"proc","source":"proc","newOption":true}],
		"linux":{"resources":{"memory":{"limit":1048576}},"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"}}}`,
		map[string]string{"app.wasm": coreModule})
	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if uid, gid, groups := s.User(); uid != 65532 || gid != 7 || groups != nil {
		t.Errorf("user %d:%d, groups %v", uid, gid, groups)
	}
	if err := s.RunHolder(&Entrypoint{Path: "/app.wasm"}, Sources{Holder: "/opt/init", Engine: "/opt/engine", Socket: "/run/s"}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, configFile))
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	bind := func(to, from string) string {
		return `{"destination":"` + to + `","type":"bind","source":"` + from + `","options":["bind","ro","nosuid","nodev"]}`
	}
	if err := json.Unmarshal([]byte(`{
		"ociVersion":"1.3.0","fromTheFuture":{"a":1},
		"root":{"path":"rootfs","readonly":true},
		"annotations":{"mayfly.run/colour":"red","example.com/x":"y"},
		"process":{"args":["/.mayfly/init","-module","/app.wasm","-memory-limit","1048576",
			"-warn","mayfly.run/colour: this mayfly knows no such annotation","--","/app.wasm","x"],
			"user":{"uid":65532,"gid":7},"noNewPrivileges":true,"newField":[1]},
		"mounts":[{"destination":"/proc","type":"proc","source":"proc","newOption":true},`+
		bind("/.mayfly/init", "/opt/init")+`,`+bind("/.mayfly/engine", "/opt/engine")+`,`+bind("/.mayfly/control.sock", "/run/s")+`],
		"linux":{"resources":{"memory":{"limit":1048576}},"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"}}}`), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestTheUserOfAUserNamespaceIsAnotherOnTheNode(t *testing.T) {
	s, err := Read(makeBundle(t, `{"process":{"user":{"uid":65532,"gid":0,"additionalGids":[10,70000]}},
		"linux":{"uidMappings":[{"containerID":0,"hostID":100000,"size":65536}],"gidMappings":[{"containerID":0,"hostID":200000,"size":65536}]}}`, nil))
	if err != nil {
		t.Fatal(err)
	}
	uid, gid, groups := s.User()
	if uid != 165532 || gid != 200000 || !reflect.DeepEqual(groups, []int{200010, overflowID}) {
		t.Errorf("user %d:%d, groups %v", uid, gid, groups)
	}
}

func TestWhereKubeletHasItsFiles(t *testing.T) {
	for source, want := range map[string]string{
		"/srv/kubelet/pods/0b1/etc-hosts":     "/srv/kubelet",
		"/var/lib/kubelet/pods/0b1/etc-hosts": "/var/lib/kubelet",
		"/home/me/hosts":                      "/var/lib/kubelet",
		"pods/0b1/etc-hosts":                  "/var/lib/kubelet",
		"":                                    "/var/lib/kubelet",
	} {
		s, err := Read(makeBundle(t, `{"mounts":[{"destination":"/proc","source":"proc"},{"destination":"/etc/hosts","source":"`+source+`"}]}`, nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.KubeletDir(); got != want {
			t.Errorf("of %q: got %s, want %s", source, got, want)
		}
	}
}

func TestWhoMakesTheCgroupIsSeenByItsPath(t *testing.T) {
	for path, systemd := range map[string]bool{
		"kubepods-burstable-pod1.slice:cri-containerd:abc": true,
		"/kubepods/burstable/pod1/abc":                     false,
		"/kubepods.slice:cri-containerd:abc":               false,
		"/default/a:b:c":                                   false,
		"system.slice":                                     false,
		"":                                                 false,
	} {
		s, err := Read(makeBundle(t, `{"linux":{"cgroupsPath":"`+path+`"}}`, nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.SystemdCgroup(); got != systemd {
			t.Errorf("%q: got %v", path, got)
		}
	}
}

func TestAVolumeInTheWayIsRefused(t *testing.T) {
	for _, destination := range []string{"/.mayfly", "/.mayfly/data", "/x/../.mayfly/", ".mayfly"} {
		t.Run(destination, func(t *testing.T) {
			s, err := Read(makeBundle(t, `{"process":{"args":["/app.wasm"]},"mounts":[{"destination":"`+destination+`"}]}`, nil))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.RunHolder(&Entrypoint{Path: "/app.wasm"}, Sources{}); !errors.Is(err, ErrReserved) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestABundleThatIsNoneIsAnError(t *testing.T) {
	for name, config := range map[string]string{"not JSON": "{", "wrong types": `{"process":{"args":"x"}}`, "process is a list": `{"process":[]}`} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(makeBundle(t, config, nil)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"root":{"path":"rootfs"},"process":{"args":["/app.wasm"]}}`)
	f.Add(`{"process":null,"mounts":{}}`)
	f.Fuzz(func(t *testing.T, config string) {
		dir := makeBundle(t, config, map[string]string{"app.wasm": coreModule})
		s, err := Read(dir)
		if err != nil {
			return
		}
		e, err := s.FindEntrypoint()
		if err != nil || e == nil {
			return
		}
		if err := s.RunHolder(e, Sources{}); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}
