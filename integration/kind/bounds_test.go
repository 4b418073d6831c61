//go:build linux

package kind

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestCapabilitiesAreRestricted(t *testing.T) {
	have := []string{"CAP_KILL", "CAP_CHOWN"}
	for _, tt := range []struct {
		name, text string
		keys       []string
		want       string
	}{
		{"of a bundle",
			`{"process": {"user": {"uid": 0}, "capabilities": {"bounding": ["CAP_KILL", "CAP_SYS_RESOURCE"], "ambient": null}}, "big": 12345678901234567890}`,
			[]string{"process", "capabilities"},
			`{"process": {"user": {"uid": 0}, "capabilities": {"bounding": ["CAP_KILL"], "ambient": null}}, "big": 12345678901234567890}`},
		{"of a process",
			`{"args": ["sh"], "capabilities": {"effective": ["CAP_SYS_RESOURCE"], "permitted": ["CAP_CHOWN"]}}`,
			[]string{"capabilities"},
			`{"args": ["sh"], "capabilities": {"effective": [], "permitted": ["CAP_CHOWN"]}}`},
		{"which has none", `{"args": ["sh"]}`, []string{"capabilities"}, `{"args": ["sh"]}`},
		{"which has no process", `{"process": null}`, []string{"process", "capabilities"}, `{"process": null}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := restrict([]byte(tt.text), have, tt.keys...)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(parsed(t, string(got)), parsed(t, tt.want)) {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestCapabilitiesThatAreNoListAreAnError(t *testing.T) {
	for _, text := range []string{`{`, `[]`, `{"capabilities": "all"}`, `{"capabilities": {"bounding": "all"}}`} {
		if got, err := restrict([]byte(text), nil, "capabilities"); err == nil {
			t.Errorf("%s: got %s", text, got)
		}
	}
}

// parsed keeps numbers as they are written.
func parsed(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
