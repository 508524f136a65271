package deployment

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// certificate is a pair of files, and what clients are shown of them: the last pair that was whole.
type certificate struct {
	cert, key string // paths
	log       *slog.Logger

	shown atomic.Pointer[tls.Certificate]
	seen  [2][]byte // what the files held when they were last read
}

// openCertificate reads the files. At the start they must be whole.
func openCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log}
	if _, err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

// show is a server's GetCertificate.
func (c *certificate) show(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.shown.Load(), nil
}

// lookEvery is how soon a certificate that was renewed is shown.
const lookEvery = 2 * time.Second

// watch reads the files again and again, until ctx is done.
func (c *certificate) watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.look()
		case <-ctx.Done():
			return
		}
	}
}

// look takes what has changed. While the files do not make a pair, such as between two copies, the former one stays.
func (c *certificate) look() {
	switch changed, err := c.read(); {
	case !changed:
	case err != nil:
		c.log.Error("the certificate cannot be read: the former one stays in use", "error", err)
	default:
		c.log.Info("the certificate is read", "expires", c.shown.Load().Leaf.NotAfter)
	}
}

// read reads the files, and shows the pair when it is a new one. An unreadable file counts as an empty one, so that changed
// is true once for each state in which they are found.
func (c *certificate) read() (changed bool, err error) {
	cert, err1 := os.ReadFile(c.cert)
	key, err2 := os.ReadFile(c.key)
	if c.seen[0] != nil && bytes.Equal(cert, c.seen[0]) && bytes.Equal(key, c.seen[1]) {
		return false, nil
	}
	c.seen = [2][]byte{append([]byte{}, cert...), key}
	if err := errors.Join(err1, err2); err != nil {
		return true, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err == nil {
		c.shown.Store(&pair)
	}
	return true, err
}
