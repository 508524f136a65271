package link

import (
	"context"
	"time"

	"github.com/coder/websocket"
	"github.com/livens/livens/livechat/frame"
)

// read reads a frame, and breaks the connection when none comes within limit.
func read(ctx context.Context, conn *websocket.Conn, limit time.Duration) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, data, err := conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	return frame.Parse(data)
}

// write writes a frame, and breaks the connection when it cannot be written in time.
func write(ctx context.Context, conn *websocket.Conn, f any) error {
	ctx, cancel := context.WithTimeout(ctx, silent)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, frame.Encode(f))
}
