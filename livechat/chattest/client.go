// Package chattest is a client that speaks the chat's protocol frame by frame, for tests and measurements.
package chattest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/coder/websocket"
	"github.com/livens/livens/livechat/frame"
)

// Client is one connection.
type Client struct {
	conn *websocket.Conn
	ctx  context.Context
}

// Dial connects to a chat's URL, such as "ws://127.0.0.1:8080/chat". ctx bounds everything that the client waits for.
func Dial(ctx context.Context, url string) (*Client, error) {
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{frame.ChatProtocol}})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(-1)
	return &Client{conn, ctx}, nil
}

// Send sends a frame, or, given bytes, just these.
func (c *Client) Send(f any) error {
	data, raw := f.([]byte)
	if !raw {
		data = frame.Encode(f)
	}
	return c.conn.Write(c.ctx, websocket.MessageText, data)
}

// Next is the next frame, as frame.Parse returns it. It answers what the deployment asks a silent client, as all clients do, and returns what
// comes then. After the end CloseCode tells which code it had.
func (c *Client) Next() (any, error) {
	for {
		f, err := c.read()
		if a, ok := f.(*frame.Ack); err == nil && ok && a.Ping != "" {
			if err := c.Send(frame.Ack{T: "ack", Pong: a.Ping}); err != nil {
				return nil, err
			}
			continue
		}
		return f, err
	}
}

func (c *Client) read() (any, error) {
	_, data, err := c.conn.Read(c.ctx)
	if err != nil {
		return nil, err
	}
	return frame.Parse(data)
}

// Until returns the next frame of a type for which ok holds, and skips others.
func Until[F any](c *Client, ok func(F) bool) (F, error) {
	for {
		f, err := c.Next()
		if err != nil {
			var none F
			return none, fmt.Errorf("waiting for %T: %w", none, err)
		}
		if f, is := f.(F); is && (ok == nil || ok(f)) {
			return f, nil
		}
	}
}

// Close closes the connection as a page does that goes away.
func (c *Client) Close() { _ = c.conn.Close(websocket.StatusGoingAway, "") }

// Cut ends the connection without a word.
func (c *Client) Cut() { _ = c.conn.CloseNow() }

// CloseCode is what an error of Next says: the close code, or -1 when there was none.
func CloseCode(err error) int { return int(websocket.CloseStatus(err)) }

// Key draws a visitor's.
func Key() string { return random(16) }

// Sender draws the name of a tab of that role.
func Sender(role string) string { return role[:1] + "-" + random(8) }

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}
