package cluster

import (
	"context"
	"net"
	"os"
	"time"
)

// dialAgain is how long an attempt to connect may be alone. The kernel repeats what was lost of one only after a second,
// and a network that has just healed is not to be waited for so long.
const dialAgain = 250 * time.Millisecond

// persist opens a connection: it makes an attempt, another one every dialAgain, and takes the first that succeeds. One
// that is refused ends it, as ctx does.
func persist(ctx context.Context, attempt func(context.Context) (net.Conn, error)) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		conn net.Conn
		err  error
	}
	outcomes := make(chan outcome)
	try := func() {
		conn, err := attempt(ctx)
		select {
		case outcomes <- outcome{conn, err}:
		case <-ctx.Done():
			if err == nil {
				conn.Close()
			}
		}
	}
	go try()
	again := time.NewTicker(dialAgain)
	defer again.Stop()
	for {
		select {
		case o := <-outcomes:
			return o.conn, o.err
		case <-again.C:
			go try()
		case <-ctx.Done():
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}
	}
}
