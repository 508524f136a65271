package zones

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net/netip"
	"strings"
)

// readModerator reads [moderator]; dir is livens.toml's folder.
func readModerator(s *section, dir string) *ModeratorConfig {
	m := &ModeratorConfig{
		Listen:   get[[]netip.AddrPort](s, "listen"),
		CertFile: resolve(dir, get[string](s, "cert")),
		KeyFile:  resolve(dir, get[string](s, "key")),
	}
	checkTwice(s, m.Listen)
	switch {
	case s.has("cert") && !s.has("key"):
		s.errorf("cert", "for example key = "+find(s.keys, "key").example, "has no meaning without key")
	case s.has("key") && !s.has("cert"):
		s.errorf("key", "for example cert = "+find(s.keys, "cert").example, "has no meaning without cert")
	case !s.has("cert"):
		checkPlain(s, m.Listen)
	}
	return m
}

// checkPlain refuses plain HTTP beyond this host: on the way anybody could say which deployment is active.
func checkPlain(s *section, list []netip.AddrPort) {
	for i, addr := range list {
		if !addr.Addr().IsLoopback() {
			s.elementf("listen", i, "give cert and key, or a loopback address with a proxy in front that has them",
				"%s is open to others, and there is no certificate", addr)
		}
	}
}

// maxPEM bounds a file of certificates or of a key.
const maxPEM = 256 << 10

const (
	certHint = "a file of -----BEGIN CERTIFICATE----- blocks, the server's own certificate first"
	keyHint  = "a file with a -----BEGIN PRIVATE KEY----- block, without a passphrase"
)

// Certificate reads the certificate, whose Leaf is set, and its key. Whether it is valid now is for the caller to see.
// The error is one line and tells nothing of the key.
func (m *ModeratorConfig) Certificate() (*tls.Certificate, error) {
	cert, _, p := m.read(m.CertFile, m.KeyFile)
	if p != nil {
		return nil, errors.New("certificate: " + p.String())
	}
	return cert, nil
}

// read reads both files, called by these names in problems. A problem comes with the key that it concerns.
func (m *ModeratorConfig) read(shownCert, shownKey string) (*tls.Certificate, string, *Problem) {
	chain, p := readPEM(m.CertFile, shownCert, certHint)
	if p != nil {
		return nil, "cert", p
	}
	secret, p := readPEM(m.KeyFile, shownKey, keyHint)
	if p != nil {
		return nil, "key", p
	}
	cert, err := tls.X509KeyPair(chain, secret)
	switch {
	case err == nil:
		return &cert, "", nil
	case !holds(chain, "CERTIFICATE"):
		return nil, "cert", &Problem{File: shownCert, Message: "holds no certificate", Hint: certHint}
	case !holds(secret, "PRIVATE KEY"):
		return nil, "key", &Problem{File: shownKey, Message: "holds no private key", Hint: keyHint}
	}
	return nil, "key", &Problem{File: shownKey, Message: "cannot be used: " + strings.TrimPrefix(err.Error(), "tls: "),
		Hint: "it must be the certificate's own, and without a passphrase"}
}

// check says what is wrong with the files that c's [moderator] names.
func (m *ModeratorConfig) check(c *Config) (out Problems) {
	if _, key, p := m.read(c.shown(m.CertFile), c.shown(m.KeyFile)); p != nil {
		p.Key = "moderator." + key
		out = append(out, *p)
	}
	if p := exposed(m.KeyFile, c.shown(m.KeyFile)); p != nil {
		p.Key = "moderator.key"
		out = append(out, *p)
	}
	return out
}

// holds says whether a PEM file has a block whose type ends so.
func holds(text []byte, kind string) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, kind) {
			return true
		}
	}
	return false
}

func readPEM(file, shown, hint string) ([]byte, *Problem) {
	text, err := readRegular(file, maxPEM)
	if err != nil {
		return nil, secretFile{shown: shown, hint: hint}.unread(err)
	}
	return text, nil
}
