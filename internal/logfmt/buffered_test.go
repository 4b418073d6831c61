package logfmt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// unread returns a log into a pipe, and the end of it that somebody may read one day. Both are gone when the test is over.
func unread(t *testing.T, o Options, size int) (*Buffered, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b := newBuffered(w, o, size)
	t.Cleanup(func() {
		r.Close() // a write that is stuck fails
		b.Close()
		w.Close()
	})
	return b, r
}

func TestWhatIsWrittenIsReadInOrderToTheLastLine(t *testing.T) {
	var out bytes.Buffer
	b := NewBuffered(&out, Options{})
	var want strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&want, "line %d\n", i)
		fmt.Fprintf(b, "line %d\n", i)
	}
	b.Close()
	b.Close() // as good as once
	if out.String() != want.String() {
		t.Errorf("of %d bytes, %d came, or others", want.Len(), out.Len())
	}
}

func TestALogThatNobodyReadsHoldsUpNobody(t *testing.T) {
	b, _ := unread(t, Options{}, bufferSize)
	line := []byte(strings.Repeat("x", 999) + "\n")
	begin := time.Now()
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			for range 500 { // 10 MB in all
				if n, err := b.Write(line); n != len(line) || err != nil {
					t.Errorf("wrote %d, %v", n, err)
				}
			}
		})
	}
	wait.Wait()
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("writing took %s", took)
	}
	b.mu.Lock()
	if n := len(b.waiting) + b.writing; n > bufferSize {
		t.Errorf("%d bytes wait", n)
	}
	b.mu.Unlock()
	begin = time.Now()
	b.Close()
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("Close took %s", took)
	}
}

func TestLinesThatWereLostAreCounted(t *testing.T) {
	for _, tc := range []struct {
		name string
		form Options
		lost func(line string) (n int, ok bool)
	}{
		{"as text", Options{}, func(line string) (n int, ok bool) {
			_, rest, _ := strings.Cut(line, " ")
			_, err := fmt.Sscanf(rest, "warn  lines were lost because nobody read the log lines=%d\n", &n)
			return n, err == nil
		}},
		{"as JSON", Options{JSON: true}, func(line string) (n int, ok bool) {
			var v struct {
				Msg   string
				Lines int
			}
			err := json.Unmarshal([]byte(line), &v)
			return v.Lines, err == nil && v.Msg == "lines were lost because nobody read the log"
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, r := unread(t, tc.form, 200<<10)
			const written = 1000
			for i := range written { // 1 MB: more than the pipe and the buffer
				fmt.Fprintf(b, "%d %s\n", i, strings.Repeat("x", 1000))
			}
			read := make(chan string)
			go func() {
				all, _ := io.ReadAll(r)
				read <- string(all)
			}()
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
				b.mu.Lock()
				lost := b.lost
				b.mu.Unlock()
				if lost == 0 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the log is read and does not go on")
				}
			}
			fmt.Fprintln(b, "after")
			b.Close()
			b.w.(*os.File).Close()
			kept, lost, told, last := 0, 0, 0, -1
			lines := strings.Split(<-read, "\n")
			for _, line := range lines {
				var i int
				if n, ok := tc.lost(line + "\n"); ok {
					told++
					lost += n
				} else if n, _ := fmt.Sscanf(line, "%d x", &i); n == 1 {
					kept++
					if i <= last {
						t.Errorf("line %d comes after %d", i, last)
					}
					last = i
				}
			}
			if told != 1 || lost == 0 || kept+lost != written {
				t.Errorf("%d lines are there and %d lost of %d, as was told %d times", kept, lost, written, told)
			}
			if n := len(lines); lines[n-2] != "after" {
				t.Errorf("the last line is %q", lines[n-2])
			}
		})
	}
}

func TestALineLargerThanTheBufferIsLostAlone(t *testing.T) {
	var out bytes.Buffer
	b := newBuffered(&out, Options{}, 1000)
	fmt.Fprintln(b, strings.Repeat("x", 1000))
	fmt.Fprintln(b, "after")
	b.Close()
	if got := out.String(); !strings.HasSuffix(got, " lines=1\nafter\n") {
		t.Errorf("got %q", got)
	}
}

func TestAfterCloseLinesAreDropped(t *testing.T) {
	var out bytes.Buffer
	b := NewBuffered(&out, Options{})
	b.Close()
	if n, err := io.WriteString(b, "late\n"); n != 5 || err != nil || out.Len() > 0 {
		t.Errorf("wrote %d, %v: %q", n, err, &out)
	}
}
