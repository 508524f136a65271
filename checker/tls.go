package checker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// tlsProber completes a TLS handshake, certificate and all.
type tlsProber struct {
	t   Target
	tls *tlsSettings
}

func newTLS(t Target) prober { return tlsProber{t, newTLSSettings(t)} }

func (p tlsProber) probe(ctx context.Context) Result {
	conn, r := dialStream(ctx, p.t, p.tls)
	if conn == nil {
		return r
	}
	conn.Close()
	return success("TLS handshake done")
}

// tlsSettings are how a target's TLS handshakes are made. Sessions are never resumed: a probe is to see the
// certificate that a new visitor sees.
type tlsSettings struct {
	target Target
	server string // the name that the certificate must be for; an address is not sent as SNI (RFC 6066, section 3)

	mu    sync.Mutex
	roots *x509.CertPool // of CAFile as it was when stamp was taken
	stamp string
}

func newTLSSettings(t Target) *tlsSettings {
	server := t.Check.Host
	if host, _, err := net.SplitHostPort(server); err == nil {
		server = host
	}
	if server == "" {
		server = t.Address.String()
	}
	return &tlsSettings{target: t, server: strings.Trim(server, "[]")}
}

// dialStream opens a TCP connection to the target, secure unless s is nil. A nil connection comes with the result that
// the probe then has.
func dialStream(ctx context.Context, t Target, s *tlsSettings) (net.Conn, Result) {
	conn, r := dial(ctx, "tcp", t)
	if conn == nil || s == nil {
		return conn, r
	}
	secure, r := s.handshake(ctx, conn)
	if secure == nil {
		conn.Close()
		return nil, r
	}
	return secure, r // its Close says close_notify, and closes conn
}

// handshake makes the connection secure. A nil connection comes with the result that the probe then has.
func (s *tlsSettings) handshake(ctx context.Context, conn net.Conn) (net.Conn, Result) {
	roots, err := s.authorities()
	if err != nil {
		return nil, unclear("cannot probe from here: CA file: %s", printable(err.Error(), 200))
	}
	secure := tls.Client(conn, &tls.Config{
		ServerName: s.server, RootCAs: roots, InsecureSkipVerify: s.target.Check.Insecure,
	})
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, s.handshakeFailure(err)
	}
	return secure, Result{}
}

// maxAuthorities is how many bytes of a CA file are read; the roots of an operating system are a quarter of a MiB.
const maxAuthorities = 16 << 20

// authorities reads the CA file, again when it has changed. Nil stands for the system's.
func (s *tlsSettings) authorities() (*x509.CertPool, error) {
	file := s.target.Check.CAFile
	if file == "" {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	stamp := fmt.Sprint(info.ModTime().UnixNano(), info.Size())
	if stamp == s.stamp {
		return s.roots, nil
	}
	pem, err := readHead(file, maxAuthorities)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(pem)) {
		return nil, fmt.Errorf("no certificate in %s", file)
	}
	s.roots, s.stamp = roots, stamp
	return roots, nil
}

func (s *tlsSettings) handshakeFailure(err error) Result {
	if said := certificateFault(err, time.Now()); said != "" {
		return failure("%s", said)
	}
	var notTLS tls.RecordHeaderError
	var op *net.OpError
	switch {
	case timedOut(err):
		return failure("TLS handshake: no answer in %s", s.target.Check.Timeout)
	case errors.As(err, &notTLS):
		return failure("TLS handshake: the server does not speak TLS")
	case errors.As(err, &op) && op.Op == "remote error": // an alert
		return failure("TLS handshake: the server says %s", strings.TrimPrefix(plain(err), "tls: "))
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return failure("TLS handshake: reset by peer")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return failure("TLS handshake: closed by the server")
	}
	return failure("TLS handshake: %s", strings.TrimPrefix(plain(err), "tls: "))
}

// certificateFault is what is wrong with a certificate, in words; empty if err is about something else.
func certificateFault(err error, now time.Time) string {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && now.Before(invalid.Cert.NotBefore):
		return "certificate is not valid for another " + age(invalid.Cert.NotBefore.Sub(now))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "certificate expired " + age(now.Sub(invalid.Cert.NotAfter)) + " ago"
	case errors.As(err, &invalid):
		return "certificate: " + strings.TrimPrefix(printable(invalid.Error(), 200), "x509: ")
	case errors.As(err, &name):
		return "certificate is for " + names(name.Certificate) + ", not " + name.Host
	case errors.As(err, &unknown):
		return "certificate is from an unknown authority: " + printable(unknown.Cert.Issuer.String(), 100)
	}
	return ""
}

// names are the first few hosts that a certificate is for.
func names(c *x509.Certificate) string {
	all := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	const shown = 3
	switch {
	case len(all) == 0:
		return "no host"
	case len(all) > shown:
		return printable(strings.Join(all[:shown], ", "), 200) + fmt.Sprintf(" and %d more", len(all)-shown)
	}
	return printable(strings.Join(all, ", "), 200)
}

// age is a time span in one unit.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d d", d/(24*time.Hour))
}
