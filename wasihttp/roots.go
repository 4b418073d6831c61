package wasihttp

import (
	"crypto/x509"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// roots are the authorities that guests' requests trust: the system's, where SSL_CERT_FILE and SSL_CERT_DIR say which, and where the
// system has none, as in an image that holds nothing but a component, Mozilla's as of the day this was built.
func roots() *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err == nil && !pool.Equal(x509.NewCertPool()) {
		return pool
	}
	return bundled()
}

// bundled are Mozilla's.
func bundled() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		switch {
		case err != nil: // one that this Go is too strict for
		case root.Constraint != nil:
			pool.AddCertWithConstraint(cert, root.Constraint)
		default:
			pool.AddCert(cert)
		}
	}
	return pool
}
