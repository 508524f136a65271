package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// ask METHOD URL [HEADER VALUE]… asks the public listener on a new connection and prints the reply; of TLS first whose
// certificate it has.
func cmdAsk(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(eventually(func() error { // the public listener begins beside everything else
		text, err := askModerator(args)
		if err == nil {
			fmt.Fprint(ts.Stdout(), text)
		}
		return err
	}))
}

// told PATTERN URL waits until the reply matches; negated, until it does not.
func cmdTold(ts *testscript.TestScript, neg bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[0])
	ts.Check(eventually(func() error {
		text, err := askModerator([]string{"GET", args[1]})
		if err == nil && pattern.MatchString(text) == neg {
			err = fmt.Errorf("%s: %s", args[1], text)
		}
		return err
	}))
}

// alike PATH URL… waits until the public listeners at the URLs all reply the same, byte for byte, and prints it.
func cmdAlike(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(eventually(func() error {
		first, err := askModerator([]string{"GET", args[1] + args[0]})
		for _, url := range args[2:] {
			other, failed := askModerator([]string{"GET", url + args[0]})
			if err = errors.Join(err, failed); err == nil && other != first {
				err = fmt.Errorf("%s: %s%s: %s", args[1], first, url, other)
			}
		}
		if err == nil {
			fmt.Fprint(ts.Stdout(), first)
		}
		return err
	}))
}

func askModerator(args []string) (string, error) {
	request, err := http.NewRequest(args[0], args[1], nil)
	if err != nil {
		return "", err
	}
	for i := 2; i+1 < len(args); i += 2 {
		request.Header.Set(args[i], args[i+1])
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: patience}).Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	who := ""
	if response.TLS != nil {
		who = fmt.Sprintf("%s, certificate of %s\n", response.Proto, response.TLS.PeerCertificates[0].Subject.CommonName)
	}
	return fmt.Sprintf("%s%s\nETag: %s\n%s", who, response.Status, response.Header.Get("ETag"), body), err
}

// certificate NAME DAYS writes moderator.crt and moderator.key, of which NAME is the subject.
func cmdCertificate(ts *testscript.TestScript, _ bool, args []string) {
	days, err := strconv.Atoi(args[1])
	ts.Check(err)
	cert, key, err := makeCertificate(args[0], time.Now().AddDate(0, 0, days))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("moderator.crt"), cert, 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("moderator.key"), key, 0o600))
}

// makeCertificate makes a self-signed certificate for loopback addresses.
func makeCertificate(name string, ends time.Time) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: ends.AddDate(-1, 0, 0), NotAfter: ends,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), err
}
