package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
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

// broken says in an operator's words why read found nothing.
func broken(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("nothing came from the other deployment in time")
	case websocket.CloseStatus(err) >= 0, errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return errors.New("the other deployment closed the link")
	}
	return fmt.Errorf("the link is broken: %w", err)
}

// write writes a frame, and breaks the connection when it cannot be written in time.
func write(ctx context.Context, conn *websocket.Conn, f any) error {
	ctx, cancel := context.WithTimeout(ctx, silent)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, frame.Encode(f))
}
