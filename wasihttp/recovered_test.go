package wasihttp

import (
	"strings"
	"testing"
)

func TestAMistakeOfTheHostEndsOneRequest(t *testing.T) {
	s := serveComponent(t)
	p := s.app.loaded.(*program)
	whole := p.component
	p.component = nil // as if an instance could not be made of it
	res, _ := s.get(t, "/hello")
	p.component = whole
	if res.StatusCode != 500 || !strings.Contains(s.log.String(), "please report it") {
		t.Errorf("got %d, and in the log: %s", res.StatusCode, s.log.String())
	}
	if res, body := s.get(t, "/hello"); res.StatusCode != 200 {
		t.Errorf("the next: %d %s", res.StatusCode, body)
	}
}
