//go:build linux

package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"time"
)

// pki are the keys of a cluster and who they are of. It is not more than the
// programs need to know each other: those of the control plane share one
// identity, kubelet has its own because the API server limits what it may do.
type pki struct {
	ca, proxyCA *authority

	apiserver    certificate // serves
	kubelet      certificate // serves
	toKubelet    certificate // the API server's, as a client of kubelet
	toAggregated certificate // the API server's, as a client of API servers behind it
	admin        certificate // may do everything
	node         certificate // kubelet's, as a client

	tokens          string // key ServiceAccount tokens are signed with, PEM
	tokensPublicKey string
}

// certificate is one with its key, both PEM.
type certificate struct{ cert, key string }

// authority signs certificates.
type authority struct {
	certificate // its own
	parsed      *x509.Certificate
	private     *ecdsa.PrivateKey
}

func newPKI() (p *pki, err error) {
	p = &pki{}
	if p.ca, err = newAuthority("kubernetes"); err != nil {
		return nil, err
	}
	// Who may speak for others at servers behind the API server.
	if p.proxyCA, err = newAuthority("front-proxy"); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		to    *certificate
		by    *authority
		name  string
		group string
		hosts []string // what it serves as
	}{
		{&p.apiserver, p.ca, "kube-apiserver", "", []string{
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost",
			apiServiceIP, nodeIP4, nodeIP6, "127.0.0.1",
		}},
		{&p.kubelet, p.ca, "system:node:" + NodeName, "system:nodes", []string{NodeName, nodeIP4, nodeIP6}},
		{&p.toKubelet, p.ca, "kube-apiserver-kubelet-client", "system:masters", nil},
		{&p.toAggregated, p.proxyCA, "front-proxy-client", "", nil},
		{&p.admin, p.ca, "admin", "system:masters", nil},
		{&p.node, p.ca, "system:node:" + NodeName, "system:nodes", nil},
	} {
		if *c.to, err = c.by.issue(c.name, c.group, c.hosts); err != nil {
			return nil, err
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if p.tokens, err = keyPEM(key); err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	p.tokensPublicKey = block("PUBLIC KEY", public)
	return p, nil
}

// A cluster lives for hours; the hour before is for clocks that differ.
func validity() (from, to time.Time) {
	now := time.Now()
	return now.Add(-time.Hour), now.AddDate(1, 0, 0)
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, IsCA: true,
	}
	t.NotBefore, t.NotAfter = validity()
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the authority %s: %w", name, err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	text, err := keyPEM(key)
	return &authority{certificate{block("CERTIFICATE", der), text}, parsed, key}, err
}

// issue makes a certificate for a client, and for a server when there are
// hosts.
func (a *authority) issue(name, group string, hosts []string) (certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return certificate{}, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if group != "" {
		t.Subject.Organization = []string{group}
	}
	if len(hosts) > 0 {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	t.NotBefore, t.NotAfter = validity()
	der, err := x509.CreateCertificate(rand.Reader, t, a.parsed, &key.PublicKey, a.private)
	if err != nil {
		return certificate{}, fmt.Errorf("make the certificate of %s: %w", name, err)
	}
	text, err := keyPEM(key)
	return certificate{block("CERTIFICATE", der), text}, err
}

func keyPEM(key *ecdsa.PrivateKey) (string, error) {
	der, err := x509.MarshalECPrivateKey(key)
	return block("EC PRIVATE KEY", der), err
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// files is everything the programs read, by file name.
func (p *pki) files() map[string]string {
	files := map[string]string{
		"ca.crt": p.ca.cert, "ca.key": p.ca.key, "front-proxy-ca.crt": p.proxyCA.cert,
		"tokens.key": p.tokens, "tokens.pub": p.tokensPublicKey,
	}
	for name, c := range map[string]certificate{
		"apiserver": p.apiserver, "kubelet": p.kubelet, "to-kubelet": p.toKubelet, "to-aggregated": p.toAggregated,
	} {
		files[name+".crt"], files[name+".key"] = c.cert, c.key
	}
	return files
}

// kubeconfig is one for the holder of a certificate.
func (p *pki) kubeconfig(server string, who certificate) string {
	b64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return strings.NewReplacer("SERVER", server, "CA", b64(p.ca.cert), "CERT", b64(who.cert), "KEY", b64(who.key)).Replace(
		`apiVersion: v1
kind: Config
current-context: mayfly
contexts: [{name: mayfly, context: {cluster: mayfly, user: mayfly}}]
clusters: [{name: mayfly, cluster: {server: "SERVER", certificate-authority-data: CA}}]
users: [{name: mayfly, user: {client-certificate-data: CERT, client-key-data: KEY}}]
`)
}
