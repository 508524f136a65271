package checker

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/zones"
)

// certless is a TLS server without any certificate: it refuses every handshake.
var certless = tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return nil, errors.New("none")
}}

var loopback = netip.MustParseAddr("127.0.0.1")

// patience is the timeout of checks that are to be answered; haste of those that are not.
const (
	patience = 20 * time.Second
	haste    = 150 * time.Millisecond
)

// ask probes a loopback port once.
func ask(t *testing.T, port uint16, check zones.Check) Result {
	t.Helper()
	check.Port = port
	return askBy(t, nil, check)
}

// askBriefly probes a server that lets the check's timeout pass. Time passes only while all wait, so that it is over where the
// server falls silent, and not where the machine is slow.
func askBriefly(t *testing.T, server func(net.Conn), check zones.Check) (r Result) {
	t.Helper()
	inNoTime(t, func(t *testing.T) {
		var served sync.WaitGroup
		defer served.Wait()
		r = askBy(t, func(context.Context, string, string) (net.Conn, error) {
			mine, theirs := net.Pipe()
			served.Go(func() {
				defer theirs.Close()
				server(theirs)
			})
			return mine, nil
		}, check)
	})
	return r
}

// inNoTime runs a test on a fake clock that begins now, which certificates are valid for.
func inNoTime(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	now := time.Now().Round(0)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(now))
		test(t)
	})
}

// askBy probes a loopback port once; a connection is opened by dial where it is given.
func askBy(t *testing.T, dial func(context.Context, string, string) (net.Conn, error), check zones.Check) Result {
	t.Helper()
	if check.Timeout == 0 {
		check.Timeout = patience
	}
	if check.Path == "" {
		check.Path = "/"
	}
	target := NewTarget("chat", "primary", loopback, &check)
	r := Probe(t.Context(), Options{Name: "ns1", Version: "1.2", Dial: dial}, target)
	if r.Latency <= 0 {
		t.Errorf("latency is %s", r.Latency)
	}
	return r
}

func wantResult(t *testing.T, got, want Result) {
	t.Helper()
	if got.Outcome != want.Outcome || got.Reason != want.Reason || got.Silent != want.Silent || got.Drain != want.Drain {
		got.Latency = 0
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// answerOf probes a server: briefly, if the check is in haste.
func answerOf(t *testing.T, server func(net.Conn), check zones.Check) Result {
	t.Helper()
	if check.Timeout > 0 {
		return askBriefly(t, server, check)
	}
	return ask(t, raw(t, server), check)
}

// raw serves each connection with handle, and returns the port.
func raw(t *testing.T, handle func(net.Conn)) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		conns.Wait()
	})
	return portOf(l.Addr())
}

func portOf(a net.Addr) uint16 { return netip.MustParseAddrPort(a.String()).Port() }

// hold keeps a connection open until the peer ends it.
func hold(conn net.Conn) { io.Copy(io.Discard, conn) }

// reset makes the connection end with RST.
func reset(conn net.Conn) {
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// says answers a request, once its headers are read, with text.
func says(text string, then func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		io.WriteString(conn, text)
		if then != nil {
			then(conn)
		}
	}
}

// floods writes text until the peer has enough: often at once, so that it costs the machine little how short the text is.
func floods(text string) func(net.Conn) {
	often := strings.Repeat(text, 1+4096/len(text))
	return func(conn net.Conn) {
		for {
			if _, err := io.WriteString(conn, often); err != nil {
				return
			}
		}
	}
}

// closedPort is a port on which nothing listens, for TCP until the test ends: it is taken.
func closedPort(t *testing.T) uint16 {
	t.Helper()
	_, port := takenPort(t)
	return port
}

// blackHole is a port that answers no SYN: its queue of connections is full.
func blackHole(t *testing.T) uint16 {
	t.Helper()
	fd, port := takenPort(t)
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for {
		conn, err := net.DialTimeout("tcp", netip.AddrPortFrom(loopback, port).String(), 100*time.Millisecond)
		if err != nil {
			return port
		}
		t.Cleanup(func() { conn.Close() })
	}
}

// takenPort is a TCP port of loopback that a socket has until the test ends, and the socket, which does not listen.
func takenPort(t *testing.T) (fd int, port uint16) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, uint16(name.(*syscall.SockaddrInet4).Port)
}

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // PEM
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(a.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// config is a server with a certificate for hosts that is valid from and until the given times from now.
func (a *authority) config(t *testing.T, from, until time.Duration, hosts ...string) *tls.Config {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// over runs a handler inside TLS.
func over(config *tls.Config, handle func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		secure := tls.Server(conn, config)
		defer secure.Close()
		handle(secure)
	}
}

// acceptKey answers a WebSocket key (RFC 6455, section 4.2.2).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
