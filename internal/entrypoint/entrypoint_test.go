package entrypoint

import (
	"slices"
	"strings"
	"testing"
)

func TestWhereAProgramIsLookedFor(t *testing.T) {
	for _, tc := range []struct {
		name, program, cwd string
		env                []string
		want               []string
	}{
		{"an absolute path", "/opt/app.wasm", "/work", nil, []string{"/opt/app.wasm"}},
		{"a path that is not clean", "/opt/../../app.wasm", "/", nil, []string{"/app.wasm"}},
		{"a relative path", "./app.wasm", "/work", nil, []string{"/work/app.wasm"}},
		{"a relative path that climbs", "../../app.wasm", "/work", nil, []string{"/app.wasm"}},
		{"a name on the PATH", "app.wasm", "/work", []string{"PATH=/a:/b", "PATH=/c:/d"}, []string{"/c/app.wasm", "/d/app.wasm"}},
		{"a name without a PATH", "app", "/", []string{"PATH="}, []string{
			"/usr/local/sbin/app", "/usr/local/bin/app", "/usr/sbin/app", "/usr/bin/app", "/sbin/app", "/bin/app"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Candidates(tc.program, tc.cwd, tc.env); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTheSearchIsBounded(t *testing.T) {
	if n := len(Candidates("app", "/", []string{"PATH=" + strings.Repeat("/a:", 1000)})); n != maxDirectories {
		t.Errorf("%d directories are searched", n)
	}
	if got := Candidates("app", "/", []string{"PATH=/" + strings.Repeat("a", maxPath) + ":/b"}); !slices.Equal(got, []string{"/b/app"}) {
		t.Errorf("%d paths", len(got))
	}
}
