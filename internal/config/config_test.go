package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	s, err := Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Sidecar{
		Listen: []Address{
			{Network: "tcp4", Host: "127.0.0.1", Port: 80},
			{Network: "tcp6", Host: "::1", Port: 80, Optional: true},
		},
		Timeout: 30 * time.Second, Memory: 64 << 20, IdleTimeout: 5 * time.Minute,
		DrainTimeout: 25 * time.Second, MaxBody: 1 << 30, Probe: ProbeMayfly,
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

func TestEachVariableIsRead(t *testing.T) {
	s, err := Parse([]string{
		"MAYFLY_TRIGGER=http", "MAYFLY_TIMEOUT=1500ms", "MAYFLY_MAX_INSTANCES=7", "MAYFLY_MEMORY=128Mi",
		"MAYFLY_IDLE_TIMEOUT=never", "MAYFLY_DRAIN_TIMEOUT=0s", "MAYFLY_MAX_BODY=10k", "MAYFLY_SERVER_TIMING=1",
		"MAYFLY_LOG=json", "MAYFLY_LOG_LEVEL=debug", "MAYFLY_FROM_THE_FUTURE=x", "MAYFLY_LISTEN=unix:/run/a.sock",
		"MAYFLY_ALLOWED_OUTBOUND=https://api.example.com", "MAYFLY_SNAPSHOT=init", "MAYFLY_PROBE=guest",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Sidecar{
		AllowedOutbound: "https://api.example.com",
		Trigger:         TriggerHTTP, Listen: []Address{{Network: "unix", Path: "/run/a.sock"}}, Timeout: 1500 * time.Millisecond,
		MaxInstances: 7, Memory: 128 << 20, IdleTimeout: Never, MaxBody: 10_000, ServerTiming: true, JSONLog: true, Debug: true,
		Snapshot: true, Probe: ProbeGuest,
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

func TestListenAddresses(t *testing.T) {
	for _, tc := range []struct {
		name, listen, port string
		want               string
	}{
		{"the port alone", "", "8080", "127.0.0.1:8080 [::1]:8080?"},
		{"localhost", "localhost:81", "8080", "127.0.0.1:81 [::1]:81?"},
		{"all addresses", ":81", "", "0.0.0.0:81 [::]:81?"},
		{"one IPv4 address", "10.1.2.3:81", "", "10.1.2.3:81"},
		{"one IPv6 address", "[fd00::1]:81", "", "[fd00::1]:81"},
		{"an IPv4 address written as IPv6", "[::ffff:10.1.2.3]:81", "", "10.1.2.3:81"},
		{"a unix socket", "unix:/run/x.sock", "", "unix:/run/x.sock"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := Parse([]string{"MAYFLY_LISTEN=" + tc.listen, "PORT=" + tc.port})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range s.Listen {
				text := a.String()
				if a.Optional {
					text += "?"
				}
				got = append(got, text)
			}
			if g := strings.Join(got, " "); g != tc.want {
				t.Errorf("got %s, want %s", g, tc.want)
			}
		})
	}
}

func TestARefusalNamesTheVariableAndAnExample(t *testing.T) {
	for _, env := range []string{
		"MAYFLY_TRIGGER=htpp", "MAYFLY_TRIGGER=schedule=@every 5s", "MAYFLY_TRIGGER=http=x", "MAYFLY_TIMEOUT=30", "MAYFLY_TIMEOUT=0s",
		"MAYFLY_TIMEOUT=-1s", "MAYFLY_MAX_INSTANCES=0", "MAYFLY_MAX_INSTANCES=many", "MAYFLY_MEMORY=64MB", "MAYFLY_MEMORY=1",
		"MAYFLY_MEMORY=5Gi", "MAYFLY_MEMORY=99999999999999999999Pi", "MAYFLY_MAX_BODY=18446744073709551615", "MAYFLY_IDLE_TIMEOUT=soon",
		"MAYFLY_SERVER_TIMING=yes", "MAYFLY_LOG=xml", "MAYFLY_LOG_LEVEL=trace", "PORT=0", "PORT=65536", "PORT=http",
		"MAYFLY_LISTEN=localhost", "MAYFLY_LISTEN=localhost:0", "MAYFLY_LISTEN=example.com:80", "MAYFLY_LISTEN=[fe80::1%eth0]:80",
		"MAYFLY_LISTEN=unix:relative", "MAYFLY_LISTEN=unix:/a/../b", "MAYFLY_LISTEN=unix:/" + strings.Repeat("x", 200),
	} {
		t.Run(env[:min(len(env), 50)], func(t *testing.T) {
			_, err := Parse([]string{env})
			if !errors.Is(err, ErrVariable) {
				t.Fatalf("got %v, want ErrVariable", err)
			}
			name, _, _ := strings.Cut(env, "=")
			if !strings.HasPrefix(err.Error(), name+"=") || !strings.Contains(err.Error(), "for example") {
				t.Errorf("unhelpful: %v", err)
			}
			if len(err.Error()) > 400 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestTheGuestSeesNoMayflyVariables(t *testing.T) {
	got := GuestEnv([]string{"A=1", "MAYFLY_TIMEOUT=1s", "PORT=80", "MAYFLYX=2"})
	if want := []string{"A=1", "PORT=80", "MAYFLYX=2"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAMisspeltVariableIsRecognised(t *testing.T) {
	got := Unknown([]string{"MAYFLY_TIMOUT=3s", "MAYFLY_PORT=1", "MAYFLY_FROM_THE_FUTURE=init", "MAYFLY_TIMEOUT=3s", "PORT=80", "PATH=/", "MAYFLY_LISTEN=:80"})
	want := []string{
		"MAYFLY_FROM_THE_FUTURE: this mayfly knows no such setting",
		"MAYFLY_PORT: this mayfly knows no such setting; did you mean PORT?",
		"MAYFLY_TIMOUT: this mayfly knows no such setting; did you mean MAYFLY_TIMEOUT?",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestServicesNamedMayflyAreNoSettings(t *testing.T) {
	links := []string{
		"MAYFLY_SERVICE_HOST=10.96.0.7", "MAYFLY_SERVICE_PORT=80", "MAYFLY_SERVICE_PORT_HTTP=80", "MAYFLY_PORT=tcp://10.96.0.7:80",
		"MAYFLY_PORT_80_TCP=tcp://10.96.0.7:80", "MAYFLY_PORT_80_TCP_PROTO=tcp", "MAYFLY_PORT_80_TCP_PORT=80", "MAYFLY_PORT_80_TCP_ADDR=10.96.0.7",
		"MAYFLY_DEMO_SERVICE_HOST=fd00::7", "MAYFLY_DEMO_PORT=udp://[fd00::7]:53", "MAYFLY_DEMO_PORT_53_UDP=udp://[fd00::7]:53",
	}
	if got := Unknown(links); len(got) > 0 {
		t.Errorf("they are said to be %q", got)
	}
	if got := GuestEnv(links); !reflect.DeepEqual(got, links) {
		t.Errorf("the guest sees %q only", got)
	}
	for _, setting := range names() {
		if isServiceLink(setting, "tcp://10.96.0.7:80") {
			t.Errorf("%s cannot be told from what names a Service", setting)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("MAYFLY_LISTEN", "localhost:80")
	f.Add("MAYFLY_MEMORY", "64Mi")
	f.Add("PORT", "1")
	f.Fuzz(func(t *testing.T, name, value string) {
		s, err := Parse([]string{name + "=" + value})
		if err == nil && (len(s.Listen) == 0 || s.Memory == 0 || s.Timeout <= 0) {
			t.Errorf("%s=%q gave %+v", name, value, s)
		}
	})
}
