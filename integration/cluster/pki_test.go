//go:build linux

package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

func TestCertificatesAreGoodForWhatTheyAreFor(t *testing.T) {
	p, err := newPKI()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		cert certificate
		by   *authority
		host string // "" for a client
	}{
		{"the API server serves as its Service", p.apiserver, p.ca, "kubernetes.default.svc"},
		{"the API server serves as the address of its Service", p.apiserver, p.ca, apiServiceIP},
		{"the API server serves on the machine", p.apiserver, p.ca, "127.0.0.1"},
		{"kubelet serves as the node's address", p.kubelet, p.ca, nodeIP6},
		{"the API server is a client of kubelet", p.toKubelet, p.ca, ""},
		{"the API server is a client of others", p.toAggregated, p.proxyCA, ""},
		{"kubelet is a client", p.node, p.ca, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			pair, err := tls.X509KeyPair([]byte(c.cert.cert), []byte(c.cert.key))
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM([]byte(c.by.cert))
			options := x509.VerifyOptions{Roots: roots, DNSName: c.host, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
			if c.host == "" {
				options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
			}
			if _, err := pair.Leaf.Verify(options); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClientsReadTheKubeconfig(t *testing.T) {
	p, err := newPKI()
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.Load([]byte(p.kubeconfig("https://127.0.0.1:1234", p.admin)))
	if err != nil {
		t.Fatal(err)
	}
	if config.CurrentContext != "mayfly" || config.Clusters["mayfly"].Server != "https://127.0.0.1:1234" {
		t.Errorf("it leads to %v in context %q", config.Clusters, config.CurrentContext)
	}
	if err := clientcmd.ConfirmUsable(*config, ""); err != nil {
		t.Error(err)
	}
}
