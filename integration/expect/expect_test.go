package expect

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// failing is a test that remembers why it failed.
type failing struct {
	testing.TB
	why string
}

func (f *failing) Helper() {}

func (f *failing) Fatal(args ...any) {
	f.why = fmt.Sprint(args...)
	runtime.Goexit()
}

func (f *failing) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }

func TestWhatIsNotSoEndsTheTestInWords(t *testing.T) {
	over, end := context.WithCancel(t.Context())
	end()
	looks := 0
	for _, tc := range []struct {
		name   string
		expect func(testing.TB)
		why    string
	}{
		{"no error", func(t testing.TB) { Success(t, nil) }, ""},
		{"an error", func(t testing.TB) { Success(t, errors.New("the error")) }, "the error"},
		{"equal", func(t testing.TB) { Equal(t, "one", 1, 1) }, ""},
		{"not equal", func(t testing.TB) { Equal(t, "one", 2, 1) }, "one: got 2, want 1"},
		{"of another type", func(t testing.TB) { Equal(t, "one", int64(1), 1) }, "one: got 1, want 1"},
		{"all parts", func(t testing.TB) { Contains(t, "text", "abc", "c", "a") }, ""},
		{"not all parts", func(t testing.TB) { Contains(t, "text", "abc", "c", "d") }, `text: "d" is not in "abc"`},
		{"at the third look", func(tb testing.TB) {
			Wait{time.Minute, time.Nanosecond}.Eventually(t.Context(), tb, "three", func() bool { looks++; return looks == 3 })
		}, ""},
		{"never", func(tb testing.TB) {
			Wait{time.Millisecond, time.Nanosecond}.Eventually(t.Context(), tb, "three", func() bool { return false })
		}, "it does not come to pass: three"},
		{"after the context's end", func(t testing.TB) {
			Wait{time.Hour, time.Hour}.Eventually(over, t, "three", func() bool { return false })
		}, "it does not come to pass: three"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &failing{}
			done := make(chan struct{})
			go func() {
				defer close(done)
				tc.expect(f)
			}()
			<-done
			if f.why != tc.why {
				t.Errorf("got %q, want %q", f.why, tc.why)
			}
		})
	}
}
