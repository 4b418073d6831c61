package peers

import (
	"slices"
	"testing"
)

func TestTheCommandOfWasmtime(t *testing.T) {
	w := &Wasmtime{Version: "wasmtime 1", binary: "/bin/wasmtime"}
	for _, c := range []struct {
		name  string
		guest Guest
		flags []string
		want  []string
	}{
		{"as it comes", Guest{}, nil, []string{"/bin/wasmtime", "serve", "-Scli", "--addr", "127.0.0.1:81", "a.wasm"}},
		{"with flags", Guest{}, []string{"-Opooling-allocator=y"}, []string{"/bin/wasmtime", "serve", "-Scli", "-Opooling-allocator=y", "--addr", "127.0.0.1:81", "a.wasm"}},
		{"with what the guest has", Guest{Env: [][2]string{{"A", "b"}}, Network: true}, nil,
			[]string{"/bin/wasmtime", "serve", "-Scli", "--env", "A=b", "-Sinherit-network", "-Sallow-ip-name-lookup", "--addr", "127.0.0.1:81", "a.wasm"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := w.Server("name", c.guest, c.flags...)
			if got := s.Command("a.wasm", 81, ""); s.Name != "name" || s.Version != "wasmtime 1" || !slices.Equal(got, c.want) {
				t.Errorf("%s: %q, want %q", s.Name, got, c.want)
			}
		})
	}
}

func TestAWasmtimeThatDoesNotRunIsAnError(t *testing.T) {
	t.Setenv("MAYFLY_WASMTIME", "/no/such/wasmtime")
	if _, err := FindWasmtime(nil); err == nil {
		t.Error("no error")
	}
}
