package wasihttp

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"testing"
)

func TestInformationalResponses(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(requestIDField, "id")
		var reply reply
		reply.begin(&exchange{w: w, r: r, ctx: r.Context(), id: "id"})
		hints := &fields{list: []field{{"link", "</style.css>"}, {"X-Request-Id", "mine"}}}
		if err := reply.inform(http.StatusEarlyHints, hints); err != nil {
			t.Error(err)
		}
		for _, status := range []int{99, 101, 200} {
			if err := reply.inform(status, hints); err == nil {
				t.Errorf("%d was sent", status)
			}
		}
	}))
	defer s.Close()
	var early []textproto.MIMEHeader
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			if code != http.StatusEarlyHints {
				t.Errorf("got %d", code)
			}
			early = append(early, header)
			return nil
		},
	})
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if len(early) != 1 || early[0].Get("Link") != "</style.css>" || early[0].Get("X-Request-Id") != "mine" {
		t.Errorf("early: %v", early)
	}
	if res.Header.Get("Link") != "" || res.Header.Get("X-Request-Id") != "id" {
		t.Errorf("then: %v", res.Header)
	}
}
