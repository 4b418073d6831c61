package tool

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/control"
)

// request is what invoke is to ask.
type request struct {
	path    string
	method  string
	fields  []string
	body    string
	verbose bool
}

func parseRequest(args []string) (*request, error) {
	r := &request{}
	hasBody := false
	f := flag.NewFlagSet("invoke", flag.ContinueOnError)
	f.StringVar(&r.method, "X", "", "")
	f.BoolVar(&r.verbose, "v", false, "")
	f.Func("H", "", func(v string) error {
		if name, _, ok := strings.Cut(v, ":"); !ok || name == "" {
			return errors.New("want 'NAME: VALUE'")
		}
		r.fields = append(r.fields, v)
		return nil
	})
	f.Func("d", "", func(v string) error {
		r.body, hasBody = v, true
		return nil
	})
	rest, err := parse(f, args)
	if err != nil {
		return nil, err
	}
	if len(rest) != 1 || !strings.HasPrefix(rest[0], "/") {
		return nil, usagef("invoke: say which path, as in mayfly invoke /")
	}
	r.path = rest[0]
	if r.method == "" {
		r.method = http.MethodGet
		if hasBody {
			r.method = http.MethodPost
		}
	}
	return r, nil
}

// invoke asks the sidecar and prints the answer.
func (t *tool) invoke(ctx context.Context, args []string) (int, error) {
	r, err := parseRequest(args)
	if err != nil {
		return 0, err
	}
	c, err := config.Parse(t.env)
	if err != nil {
		return 0, err
	}
	network, address := whereTo(c.Listen[0])
	req, body, err := r.http(ctx, t.stdin, address)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	client := &http.Client{
		Transport: &http.Transport{
			DisableCompression: true, // what is printed is what was sent
			DisableKeepAlives:  true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, address)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	begin := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return 0, t.explain(address, err)
	}
	defer res.Body.Close()
	t.printHead(res, time.Since(begin), r.verbose)
	if _, err := io.Copy(t.stdout, res.Body); err != nil {
		return 0, fmt.Errorf("the answer broke off: %w; the sidecar's log may say why", err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		return exitBad, nil
	}
	return exitGood, nil
}

// whereTo is how a client in the container reaches what listens on a.
func whereTo(a config.Address) (network, address string) {
	if a.Network == "unix" {
		return a.Network, a.Path
	}
	host := a.Host
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = map[string]string{"tcp4": "127.0.0.1", "tcp6": "::1"}[a.Network]
	}
	return a.Network, net.JoinHostPort(host, strconv.Itoa(int(a.Port)))
}

// http makes a request of r. What it returns beside it is to be closed.
func (r *request) http(ctx context.Context, stdin io.Reader, address string) (*http.Request, io.Closer, error) {
	body := io.NopCloser(strings.NewReader(r.body))
	switch file, ok := strings.CutPrefix(r.body, "@"); {
	case ok && file == "-":
		body = io.NopCloser(stdin)
	case ok:
		f, err := os.Open(file)
		if err != nil {
			return nil, nil, fmt.Errorf("read the body: %w", err)
		}
		body = f
	}
	host := address
	if strings.HasPrefix(address, "/") {
		host = "localhost"
	}
	var content io.Reader = body
	if r.body == "" {
		content = nil
	} else if !strings.HasPrefix(r.body, "@") {
		content = strings.NewReader(r.body) // of known length
	}
	req, err := http.NewRequestWithContext(ctx, r.method, "http://"+host+r.path, content)
	if err != nil {
		_ = body.Close()
		return nil, nil, usagef("invoke: %v", err)
	}
	req.Header.Set("User-Agent", "mayfly-invoke")
	given := http.Header{}
	for _, field := range r.fields {
		name, value, _ := strings.Cut(field, ":")
		given.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	for name, values := range given {
		req.Header[name] = values
	}
	if h := given.Get("Host"); h != "" {
		req.Host = h
	}
	return req, body, nil
}

// explain says why there is no answer. The holder may know better than the system.
func (t *tool) explain(address string, err error) error {
	if s, asked := control.Ask(t.socket); asked == nil && s.Doing == control.Running {
		return errors.New("invoke: this sidecar is a command: it runs once and answers no requests")
	} else if asked == nil && !s.Ready {
		return fmt.Errorf("invoke: no answer from %s: %s", address, s.Sentence)
	}
	return fmt.Errorf("invoke: no answer from %s: %w; the sidecar's log may say why", address, err)
}

// printHead prints what is not the body, where it is not taken for it.
func (t *tool) printHead(res *http.Response, took time.Duration, verbose bool) {
	fmt.Fprintf(t.stderr, "%s %s in %s\n", res.Proto, printable(res.Status), took.Round(10*time.Microsecond))
	names := []string{"Server-Timing"}
	if verbose {
		names = names[:0]
		for name := range res.Header {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	for _, name := range names {
		for _, value := range res.Header[name] {
			fmt.Fprintf(t.stderr, "%s: %s\n", printable(name), printable(value))
		}
	}
	if verbose {
		fmt.Fprintln(t.stderr)
	}
}

// printable leaves out what a terminal would take for a command.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}
