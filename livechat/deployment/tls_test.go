package deployment

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates for deployments.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, file: filepath.Join(t.TempDir(), "ca.pem")}
	a.key = newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

// issue writes a certificate for where a deployment listens, and its key.
func (a *authority) issue(listen, cert, key string, serial int64) {
	a.t.Helper()
	private := newKey(a.t)
	ip := netip.MustParseAddrPort(listen).Addr().AsSlice()
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{ip}}
	der, err1 := x509.CreateCertificate(rand.Reader, template, a.cert, private.Public(), a.key)
	text, err2 := x509.MarshalECPrivateKey(private)
	if err := errors.Join(err1, err2); err != nil {
		a.t.Fatal(err)
	}
	writePEM(a.t, cert, "CERTIFICATE", der)
	writePEM(a.t, key, "EC PRIVATE KEY", text)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCertificateIsReadAgain when its files have changed; while they are no pair the former one is shown, and the log says so once.
func TestCertificateIsReadAgain(t *testing.T) {
	ca, dir := newAuthority(t), t.TempDir()
	cert, key := filepath.Join(dir, "chat.crt"), filepath.Join(dir, "chat.key")
	out := &logs{}
	open := func() (*certificate, error) {
		return openCertificate(cert, key, slog.New(slog.NewTextHandler(out, nil)))
	}
	if _, err := open(); err == nil {
		t.Fatal("began without a certificate")
	}
	ca.issue("127.0.0.1:0", cert, key, 10)
	c, err := open()
	if err != nil {
		t.Fatal(err)
	}
	shows := func(serial int64, complaints int) {
		t.Helper()
		c.look()
		c.look()
		shown, err := c.show(nil)
		if err != nil || shown.Leaf.SerialNumber.Int64() != serial {
			t.Errorf("it shows %v (%v), want %d", shown.Leaf.SerialNumber, err, serial)
		}
		if n := strings.Count(out.String(), "the former one stays in use"); n != complaints {
			t.Errorf("%d complaints, want %d:\n%s", n, complaints, out)
		}
	}
	shows(10, 0)
	other := filepath.Join(dir, "other.key")
	ca.issue("127.0.0.1:0", cert, other, 11) // as in the midst of copying two files
	shows(10, 1)
	if err := os.Rename(other, key); err != nil {
		t.Fatal(err)
	}
	shows(11, 1)
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	shows(11, 2)
	if err := os.WriteFile(cert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	shows(11, 3)
	ca.issue("127.0.0.1:0", cert, key, 12)
	shows(12, 3)
}

// TestDeploymentsTrustTheirAuthority: the link over TLS stands with peer_ca, and not without; a renewed certificate is shown.
func TestDeploymentsTrustTheirAuthority(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	p, r := pair(t, nil)
	p.Peer, r.Peer = strings.Replace(p.Peer, "ws:", "wss:", 1), strings.Replace(r.Peer, "ws:", "wss:", 1)
	p.Cert, p.Key, r.Cert, r.Key = p.Data+"/crt", p.Data+"/key", r.Data+"/crt", r.Data+"/key"
	ca.issue(p.Listen, p.Cert, p.Key, 10)
	ca.issue(r.Listen, r.Cert, r.Key, 20)
	p.PeerCA, r.PeerCA = ca.file, stranger.file
	primary, redundant := start(t, p), start(t, r)
	await(t, func() error {
		if !strings.Contains(redundant.logs.String(), "cannot be followed") || !strings.Contains(primary.logs.String(), "follows the other deployment") {
			return errors.New("one link is to stand, and one to be refused")
		}
		return nil
	})
	if err := redundant.link.Synced(); err == nil || !strings.Contains(err.Error(), "not connected to primary") {
		t.Error(err)
	}
	redundant.stop()
	r.PeerCA = ca.file
	redundant = start(t, r)
	await(t, func() error { return errors.Join(primary.link.Synced(), redundant.link.Synced()) })

	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	ca.issue(p.Listen, p.Cert, p.Key, 11)
	await(t, func() error {
		conn, err := tls.Dial("tcp", primary.Addr(), &tls.Config{RootCAs: roots})
		if err != nil {
			return err
		}
		defer conn.Close()
		if conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64() != 11 {
			return errors.New("the former certificate is shown")
		}
		return nil
	})
	if err := errors.Join(primary.link.Synced(), redundant.link.Synced()); err != nil {
		t.Errorf("a renewed certificate disturbs the link: %v", err)
	}
}
