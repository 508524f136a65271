package events

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// Document is what is posted and what a command reads: the event, and who tells it.
type Document struct {
	failover.Event
	Nameserver string `json:"nameserver"` // that tells; Node is the one that saw it
}

func document(nameserver string, e failover.Event) ([]byte, error) {
	return json.Marshal(Document{e, nameserver})
}

// Sign is the Livens-Signature of a body posted at t: "t=UNIX,v1=HEX", where HEX is the HMAC-SHA256 of "UNIX." and the
// body. A receiver computes it afresh, compares in constant time, and refuses a t that is more than some minutes off.
func Sign(secret, body []byte, t time.Time) string {
	unix := strconv.FormatInt(t.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(unix + "."))
	mac.Write(body)
	return "t=" + unix + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Bounds of what is read.
const (
	secretLimit   = 4 << 10
	responseLimit = 64 << 10
)

// webhook posts events to a URL.
type webhook struct {
	config      zones.HookConfig
	name, agent string
	client      *http.Client
}

func newWebhook(o *Options, h zones.HookConfig) *webhook {
	// A transport of its own: connections to one receiver do not wait for those to another.
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &webhook{config: h, name: o.Name, agent: "livens/" + o.Version, client: client}
}

// post succeeds when the answer is 2xx.
func (h *webhook) post(ctx context.Context, e failover.Event) error {
	request, err := h.request(ctx, e)
	if err != nil {
		return err
	}
	response, err := h.client.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, responseLimit) // so that the connection can be used again
	switch response.StatusCode / 100 {
	case 2:
		return nil
	case 3:
		return fmt.Errorf("HTTP %d: redirects are not followed; configure the final URL", response.StatusCode)
	}
	return fmt.Errorf("HTTP %d, wanted 200–299", response.StatusCode)
}

func (h *webhook) request(ctx context.Context, e failover.Event) (*http.Request, error) {
	body, err := document(h.name, e)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.config.URL, bytes.NewReader(body))
	if err != nil {
		return nil, withoutURL(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", h.agent)
	r.Header.Set("Livens-Event", e.ID)
	if h.config.SecretFile == "" {
		return r, nil
	}
	secret, err := readSecret(h.config.SecretFile)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Livens-Signature", Sign(secret, body, time.Now()))
	return r, nil
}

// readSecret is done for every try, so that a new secret needs no reload.
func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("secret_file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, secretLimit))
	if err != nil {
		return nil, fmt.Errorf("secret_file: %w", err)
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return nil, fmt.Errorf("secret_file %s is empty; write a long random secret into it", path)
	}
	return text, nil
}

// withoutURL leaves out the URL, which often holds a secret, from what goes into logs.
func withoutURL(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}
