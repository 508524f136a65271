package web

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/internal/guests"
	"github.com/livens/livens/zones"
)

// secured gives m a certificate for loopback addresses, and returns who trusts it.
func secured(t testing.TB, m *Moderator) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(1, 0, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	m.config = &zones.ModeratorConfig{CertFile: filepath.Join(dir, "crt"), KeyFile: filepath.Join(dir, "key")}
	for path, block := range map[string]*pem.Block{m.config.CertFile: {Type: "CERTIFICATE", Bytes: der}, m.config.KeyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.ReadCertificate(); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(m.cert.Load().Leaf)
	return pool
}

// serving serves m on a loopback port until the test ends.
func serving(t testing.TB, m *Moderator) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	return l.Addr().String()
}

// caller is a connection from an address of its own.
type caller struct {
	net.Conn
	read *bufio.Reader
}

func call(t testing.TB, from, to string) *caller {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	c, err := d.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &caller{c, bufio.NewReader(c)}
}

// poll asks on the connection, which stays open; an error says that it was closed.
func (c *caller) poll() error {
	if _, err := io.WriteString(c, "GET /v1/pools/chat HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.read, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err == nil && response.StatusCode != 200 {
		err = fmt.Errorf("status %s", response.Status)
	}
	return err
}

// TestOneClientCannotKeepOthersOut: an address that holds all places with half a request on each loses its own ones to
// whoever comes, and never another's.
func TestOneClientCannotKeepOthersOut(t *testing.T) {
	m, _ := sampleModerator(t)
	m.guests = guests.New(8)
	address := serving(t, m)
	flood := func(n int) {
		for range n {
			c := call(t, "127.0.0.1", address)
			if err := c.poll(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(c, "GET /v1/pools/chat HTTP/1.1\r\nX-Slow: "); err != nil {
				t.Fatal(err)
			}
		}
	}
	flood(8)
	visitor := call(t, "127.0.0.2", address)
	if err := visitor.poll(); err != nil {
		t.Fatalf("with all places taken: %v", err)
	}
	flood(40)
	if err := visitor.poll(); err != nil {
		t.Errorf("a visitor's connection was cut for another client's: %v", err)
	}
	if open, cut, _ := m.guests.Now(); open > 8 || cut != 41 {
		t.Errorf("%d connections, %d were cut", open, cut)
	}
}

func TestModeratorOverTLS(t *testing.T) {
	m, _ := sampleModerator(t)
	pool := secured(t, m)
	address := serving(t, m)
	client := func(c *tls.Config) *http.Client {
		c.RootCAs = pool
		transport := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport, Timeout: 30 * time.Second}
	}
	modern := client(&tls.Config{})
	response, err := modern.Get("https://" + address + "/v1/pools/chat")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Proto != "HTTP/2.0" || response.TLS.Version != tls.VersionTLS13 || response.StatusCode != 200 {
		t.Errorf("%s %s, TLS %x", response.Proto, response.Status, response.TLS.Version)
	}
	old, err := client(&tls.Config{MaxVersion: tls.VersionTLS12}).Get("https://" + address + "/v1/pools/chat")
	if err != nil {
		t.Fatal(err)
	}
	defer old.Body.Close()
	withBody, err := modern.Post("https://"+address+"/v1/pools/chat", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer withBody.Body.Close()
	if withBody.StatusCode != 405 {
		t.Errorf("POST over HTTP/2: %s", withBody.Status)
	}
	if n := m.handshakes.Load(); n != 0 {
		t.Errorf("%d handshakes failed before one did", n)
	}
	if _, err := client(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Get("https://" + address + "/v1/pools/chat"); err == nil {
		t.Error("TLS 1.1 was taken")
	}
	plain := call(t, "127.0.0.1", address)
	if err := plain.poll(); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("plain HTTP: %v", err)
	}
	if _, err := plain.read.ReadByte(); err != io.EOF {
		t.Errorf("the connection stays: %v", err)
	}
	for deadline := time.Now().Add(10 * time.Second); m.handshakes.Load() != 2; time.Sleep(time.Millisecond) { // counted after the client knows
		if time.Now().After(deadline) {
			t.Fatalf("%d handshakes failed, want 2", m.handshakes.Load())
		}
	}
}

func TestModeratorWithoutACertificate(t *testing.T) {
	m, _ := sampleModerator(t)
	pool := secured(t, m)
	good := m.cert.Swap(nil)
	address := serving(t, m)
	dial := func() error {
		c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool})
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := dial(); err == nil {
		t.Error("a handshake without a certificate")
	}
	if m.cert.Store(good); dial() != nil {
		t.Error("no handshake with one")
	}
	if err := os.WriteFile(m.config.KeyFile, []byte("secret-of-mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := m.ReadCertificate()
	if err == nil || strings.Contains(err.Error(), "secret-of-mine") || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "holds no private key") {
		t.Errorf("a broken key: %v", err)
	}
	if m.cert.Load() != good || dial() != nil {
		t.Error("the former certificate is not in use")
	}
}

// TestBodiesEndTheConnection: what is sent as a body is never taken for the next request.
func TestBodiesEndTheConnection(t *testing.T) {
	m, _ := sampleModerator(t)
	address := serving(t, m)
	for name, text := range map[string]string{
		"a length":               "GET /v1/pools/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n",
		"chunks":                 "GET /v1/pools/chat HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
		"expected":               "GET /v1/pools/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n",
		"a body, then a request": "GET /v1/pools/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}GET /v1/pools/chat HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		c := call(t, "127.0.0.1", address)
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(c.read, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Errorf("%s: its reply is cut off: %v", name, err)
		}
		if _, err := c.read.ReadByte(); response.StatusCode != 413 || !response.Close || err == nil {
			t.Errorf("%s: %s, close %v, then %v", name, response.Status, response.Close, err)
		}
	}
}

func TestHeadersAreBounded(t *testing.T) {
	m, _ := sampleModerator(t)
	c := call(t, "127.0.0.1", serving(t, m))
	if _, err := io.WriteString(c, "GET /v1/pools/chat HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", guestHeader+4097)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(c.read, nil)
	if err != nil || response.StatusCode != 431 {
		t.Errorf("%v, %v", response, err)
	}
}
