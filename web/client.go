package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/livens/livens/failover"
)

// Client talks to a running livens through its control socket.
type Client struct {
	path string
	http *http.Client
}

// maxReply bounds what a client reads: a status document of thousands of pools fits.
const maxReply = 64 << 20

// NewClient is the client for a state folder. Nothing is opened yet.
func NewClient(state string) (*Client, error) {
	path, err := SocketPath(state)
	if err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return &Client{path, &http.Client{
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
		Timeout:   time.Minute,
	}}, nil
}

// Status asks for the status document.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	var s Status
	return &s, c.do(ctx, http.MethodGet, "/api/v1/status", nil, &s)
}

// Explain asks what is answered at name, and why.
func (c *Client) Explain(ctx context.Context, name string) (*Explanation, error) {
	var e Explanation
	return &e, c.do(ctx, http.MethodGet, "/api/v1/explain?name="+url.QueryEscape(name), nil, &e)
}

// Order gives an order. The error of a refusal says what would help.
func (c *Client) Order(ctx context.Context, o failover.Order) (*Receipt, error) {
	var r Receipt
	return &r, c.do(ctx, http.MethodPost, "/api/v1/orders", o, &r)
}

// Foresee says what an order would bring. Nothing is changed.
func (c *Client) Foresee(ctx context.Context, o failover.Order) (*Forecast, error) {
	var f Forecast
	return &f, c.do(ctx, http.MethodPost, "/api/v1/forecast", o, &f)
}

// Events asks for the last n events (n < 0: all that are kept), newest last: of one pool, or ("") of all.
func (c *Client) Events(ctx context.Context, n int, pool string) (*Events, error) {
	var e Events
	return &e, c.do(ctx, http.MethodGet, fmt.Sprintf("/api/v1/events?n=%d&pool=%s", n, url.QueryEscape(pool)), nil, &e)
}

// Reload has the configuration read again.
func (c *Client) Reload(ctx context.Context) (*Reload, error) {
	var r Reload
	return &r, c.do(ctx, http.MethodPost, "/api/v1/reload", nil, &r)
}

func (c *Client) do(ctx context.Context, method, path string, body, reply any) error {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://livens"+path, &content)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return c.explainDial(err)
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(io.LimitReader(response.Body, maxReply))
	if response.StatusCode == http.StatusOK {
		return decoder.Decode(reply)
	}
	var f failure
	if err := decoder.Decode(&f); err != nil {
		return fmt.Errorf("%s: %s", path, response.Status)
	}
	return errors.New(f.Error)
}

// explainDial says what a socket that cannot be reached means.
func (c *Client) explainDial(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("no livens runs with this state folder (%s): start livens serve, or give its --config", c.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission for %s: run as root or as the user that livens runs as", c.path)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("livens does not reply on %s", c.path)
	}
	return err
}
