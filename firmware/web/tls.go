package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"hookswitch/firmware/statefile"
)

// A board has no clock before NTP: it starts in 1970. Its certificate must be valid both
// then and when the clock is right, so it does not depend on the clock at all. (That it is
// older than 2019 also excuses it from the 825 days that Apple's systems allow.)
var (
	notBefore = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC)
)

// SelfSigned returns the board's own certificate from dir. Where there is none it is made,
// for host, host.local and the board's addresses, and stored as cert.pem and key.pem; to get
// another, remove both. Clients trust it by its Fingerprint, or by cert.pem.
//
// The certificate works even if the error is not nil: then it is for this run only, and the
// error says why the stored one can't be used, or the new one not be stored; or one that was
// damaged has been set aside, and the new one stored.
func SelfSigned(dir, host string) (tls.Certificate, error) {
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	cert, loadErr := tls.LoadX509KeyPair(certFile, keyFile)
	if loadErr == nil {
		return cert, nil
	}
	certPEM, keyPEM, err := makeCertificate(host)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("web: certificate: %w", err)
	}
	if cert, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		return tls.Certificate{}, fmt.Errorf("web: certificate: %w", err)
	}
	var unreadable *fs.PathError
	switch {
	case errors.Is(loadErr, fs.ErrNotExist):
		loadErr = nil
	case errors.As(loadErr, &unreadable): // it may be readable again another time
		return cert, fmt.Errorf("web: certificate for this run only: %w", loadErr)
	default:
		if err := setAside(dir); err != nil {
			return cert, fmt.Errorf("web: certificate for this run only: %w: %w", loadErr, err)
		}
		loadErr = fmt.Errorf("web: certificate is new, the old one is kept beside it as damaged: %w", loadErr)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cert, fmt.Errorf("web: certificate for this run only: %w", err)
	}
	// The key first: if the power fails now, both are made anew, and nobody has seen either.
	if err := statefile.Replace(keyFile, keyPEM, 0o600); err != nil {
		return cert, fmt.Errorf("web: certificate for this run only: %w", err)
	}
	if err := statefile.Replace(certFile, certPEM, 0o644); err != nil {
		return cert, fmt.Errorf("web: certificate for this run only: %w", err)
	}
	return cert, loadErr
}

// setAside keeps a certificate and key that do not work, which somebody may have put there.
func setAside(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range []string{"key.pem", "cert.pem"} {
		if _, err := statefile.SetAside(root, name); err != nil {
			return err
		}
	}
	return nil
}

// makeCertificate makes a certificate that signs nothing else: whoever trusts it trusts
// this board, not whatever its stolen card would vouch for.
func makeCertificate(host string) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	names := names(host)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]},
		NotBefore: notBefore, NotAfter: notAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, DNSNames: names, IPAddresses: addresses(host),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}

// validName is a host name that fits a certificate's common name too.
var validName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,50}[A-Za-z0-9])?$`)

// names are what clients may call the board host: its name, that on the link (RFC 6762),
// and the loopback name. They are in lower case.
func names(host string) []string {
	if _, err := netip.ParseAddr(host); err == nil || !validName.MatchString(host) {
		host = "hookswitch"
	}
	host = strings.ToLower(host)
	short, _, _ := strings.Cut(host, ".")
	if host == short+".local" {
		return []string{host, "localhost"}
	}
	return []string{host, short + ".local", "localhost"}
}

// addresses are those that the board has now, and host if it is one.
func addresses(host string) []net.IP {
	ips := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	if ip := net.ParseIP(host); ip != nil {
		ips = append(ips, ip)
	}
	found, err := net.InterfaceAddrs()
	if err != nil {
		return ips
	}
	for _, a := range found {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			ips = append(ips, n.IP)
		}
	}
	return ips
}

// Fingerprint is the SHA-256 of a certificate, as browsers show it.
func Fingerprint(cert tls.Certificate) string {
	if len(cert.Certificate) == 0 {
		return ""
	}
	sum := sha256.Sum256(cert.Certificate[0])
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}
