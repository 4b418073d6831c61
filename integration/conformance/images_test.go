//go:build linux

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
)

func TestEveryImageIsServedForEveryPlatform(t *testing.T) {
	s := newShelf()
	for _, i := range images {
		index, err := i.build(empty.Image)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.put(context.Background(), i.name, index); err != nil {
			t.Fatal(err)
		}
		repo, tag, _ := strings.Cut(i.name, ":")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2/"+repo+"/manifests/"+tag, nil))
		if w.Code != http.StatusOK || strings.Count(w.Body.String(), `"platform"`) != len(platforms) {
			t.Errorf("%s: %d, want an index of %d platforms:\n%s", i.name, w.Code, len(platforms), w.Body)
		}
	}
}
