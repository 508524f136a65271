package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Limits of the public listeners. A poll is one small request: whoever takes longer is slow, or means ill.
const (
	maxGuests     = 4096            // connections at once, of all listeners together
	guestHeader   = 4 << 10         // bytes; net/http adds 4 KiB of its own
	guestPatience = 5 * time.Second // for a handshake and a request's head, for the whole of it, and for its reply
	guestIdle     = 15 * time.Second
	guestStreams  = 16 // requests at once on a connection of HTTP/2
)

// Serve replies on l until ctx is done. It closes l. Listeners may be served side by side.
func (m *Moderator) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: m, ReadHeaderTimeout: guestPatience, ReadTimeout: guestPatience, WriteTimeout: guestPatience, IdleTimeout: guestIdle,
		MaxHeaderBytes: guestHeader, ErrorLog: slog.NewLogLogger(m.log.Handler(), slog.LevelDebug),
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: guestStreams, WriteByteTimeout: guestPatience},
	}
	server.ErrorLog.SetOutput(&complaints{log: m.log, handshakes: &m.handshakes, last: &m.complaint})
	l = m.guests.Listen(l, m.Secure())
	if !m.Secure() {
		return serveUntil(ctx, server, func() error { return server.Serve(l) })
	}
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: m.certificate}
	return serveUntil(ctx, server, func() error { return server.ServeTLS(l, "", "") })
}

// Secure says whether it speaks TLS.
func (m *Moderator) Secure() bool { return m.config.CertFile != "" }

var errNoCertificate = errors.New("no certificate could be read yet")

func (m *Moderator) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := m.cert.Load(); c != nil {
		return c, nil
	}
	return nil, errNoCertificate
}

// ReadCertificate reads the certificate and its key again. After an error the former pair stays in use. The error is one
// line and tells nothing of the key.
func (m *Moderator) ReadCertificate() error {
	if !m.Secure() {
		return nil
	}
	c, err := m.config.Certificate()
	if err != nil {
		return err
	}
	m.cert.Store(c)
	return nil
}

// Expires is when the certificate in use ends; zero: there is none.
func (m *Moderator) Expires() time.Time {
	if c := m.cert.Load(); c != nil {
		return c.Leaf.NotAfter
	}
	return time.Time{}
}

// complaints takes net/http's log. What strangers do wrong is counted and no line of the log, or they could fill the disk.
type complaints struct {
	log        *slog.Logger
	handshakes *atomic.Uint64 // that failed
	last       *atomic.Pointer[Complaint]
}

// maxComplaint bounds what is kept of one, in bytes.
const maxComplaint = 200

// Write takes one line.
func (c *complaints) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	switch {
	case bytes.Contains(line, []byte("TLS handshake error")):
		c.handshakes.Add(1)
		c.last.Store(&Complaint{At: time.Now(), Text: strings.ToValidUTF8(text[:min(len(text), maxComplaint)], "")})
		c.log.Debug("moderator", "complaint", text)
	case bytes.Contains(line, []byte("panic")):
		c.log.Error("moderator", "complaint", text)
	default:
		c.log.Debug("moderator", "complaint", text)
	}
	return len(line), nil
}
