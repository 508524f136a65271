package main

import (
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
	"sync"
	"sync/atomic"
	"time"

	"github.com/livens/livens/internal/stage"
)

// polls is what asking the public Moderator costs the nameserver.
type polls struct {
	How     string  `json:"how"`
	Seconds float64 `json:"seconds"`
	Polls   uint64  `json:"polls"`
	Wrong   uint64  `json:"wrong"`
	CPU     float64 `json:"cpu_s"`        // seconds of processor time that livens took
	PerCore float64 `json:"per_core"`     // polls for each of them
	Bound   float64 `json:"per_core_min"` // the target
}

func (p *polls) missed() bool { return p.PerCore < p.Bound || p.Wrong > 0 }

const (
	pollers = 16 // that ask at once, each on a connection of its own
	keptMin = 5000.0
	newMin  = 1000.0
)

const pollZone = `[zone]
name = "bench.test"
ns = ["ns"]
contact = "hostmaster@bench.test"
records = ["ns A 127.0.0.1"]

[pool.chat]
answers = ["chat"]
check = { type = "static", state = "up" }

[[pool.chat.deployment]]
name = "primary"
addresses = ["127.0.0.1"]

[[pool.chat.deployment]]
name = "redundant"
addresses = ["127.0.0.2"]
`

func (b *bench) pollAll() (out []polls, err error) {
	for _, secure := range []bool{false, true} {
		n, err := b.moderator(secure)
		if err != nil {
			return nil, err
		}
		ways := []polls{{How: "plain HTTP/1.1, kept connections", Bound: keptMin}}
		clients := []*http.Transport{{DialContext: dialAnew()}}
		if secure {
			ways = []polls{{How: "TLS, HTTP/1.1, kept connections", Bound: keptMin}, {How: "TLS, HTTP/2, kept connections", Bound: keptMin},
				{How: "TLS, a new connection for each", Bound: newMin}}
			trusting := func() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }
			clients = []*http.Transport{{TLSClientConfig: trusting(), DialContext: dialAnew()},
				{TLSClientConfig: trusting(), DialContext: dialAnew(), ForceAttemptHTTP2: true},
				{TLSClientConfig: trusting(), DialContext: dialAnew(), DisableKeepAlives: true}}
		}
		for i := range ways {
			if err := b.poll(n, clients[i], &ways[i]); err != nil {
				n.Stop()
				return nil, err
			}
		}
		n.Stop()
		out = append(out, ways...)
	}
	return out, nil
}

// dialAnew dials each time from another loopback address, as another visitor would: one address's connections are paced.
func dialAnew() func(ctx context.Context, network, address string) (net.Conn, error) {
	var dialed atomic.Uint32
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		n := dialed.Add(1)
		from := &net.TCPAddr{IP: net.IPv4(127, 1, byte(n>>8), byte(n))}
		return (&net.Dialer{LocalAddr: from}).DialContext(ctx, network, address)
	}
}

// moderator starts a nameserver with a public listener.
func (b *bench) moderator(secure bool) (*stage.Nameserver, error) {
	dir := b.folder()
	config := "name = \"ns\"\nlisten = [\"127.0.0.1:0\"]\n[http]\nlisten = \"off\"\n[moderator]\nlisten = \"127.0.0.1:0\"\n"
	if secure {
		if err := writeCertificate(dir); err != nil {
			return nil, err
		}
		config += "cert = \"moderator.crt\"\nkey = \"moderator.key\"\n"
	}
	return stage.StartNameserver(b.ctx, b.binary, dir, config, map[string]string{"bench.test.toml": pollZone}, nil)
}

func writeCertificate(dir string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{"moderator.crt": {Type: "CERTIFICATE", Bytes: der}, "moderator.key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// poll asks without pause, and sees what that costs.
func (b *bench) poll(n *stage.Nameserver, transport *http.Transport, p *polls) error {
	transport.MaxIdleConnsPerHost = pollers
	defer transport.CloseIdleConnections()
	status, err := n.Status(b.ctx)
	if err != nil {
		return err
	}
	url := status.Moderator.Listen[0] + "/v1/pools/chat"
	ctx, cancel := context.WithTimeout(b.ctx, b.loadTime/2)
	defer cancel()
	before, err := processorTime([]int{status.Listen.Pid})
	if err != nil {
		return err
	}
	began := time.Now()
	var asked, wrong atomic.Uint64
	var all sync.WaitGroup
	for range pollers {
		all.Go(func() {
			for ctx.Err() == nil {
				switch err := onePoll(ctx, transport, url); {
				case err == nil:
					asked.Add(1)
				case ctx.Err() == nil:
					wrong.Add(1)
				}
			}
		})
	}
	all.Wait()
	after, err := processorTime([]int{status.Listen.Pid})
	p.Seconds, p.CPU = time.Since(began).Seconds(), (after - before).Seconds()
	p.Polls, p.Wrong, p.PerCore = asked.Load(), wrong.Load(), float64(asked.Load())/max(p.CPU, 0.01)
	progress("polls, %s: %d in %.0f s, %.0f for each second of processor time, %d wrong", p.How, p.Polls, p.Seconds, p.PerCore, p.Wrong)
	return err
}

func onePoll(ctx context.Context, transport *http.Transport, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"active":"primary"`)) {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return err
}
