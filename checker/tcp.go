package checker

import (
	"bytes"
	"context"
	"io"
	"net"

	"github.com/livens/livens/zones"
)

// tcp connects, may send something, and may wait for something.
type tcp struct{ t Target }

func newTCP(t Target) prober { return tcp{t} }

func (p tcp) probe(ctx context.Context) Result {
	conn, r := dial(ctx, "tcp", p.t)
	if conn == nil {
		return r
	}
	defer conn.Close()
	return converse(conn, p.t.Check)
}

// converse sends what the check sends and waits for the reply it expects. With neither the connection is enough.
func converse(conn net.Conn, c *zones.Check) Result {
	if c.Send != "" {
		if _, err := io.WriteString(conn, c.Send); err != nil {
			return replyFailure(err, c)
		}
	}
	if c.ExpectReply == "" {
		return success("connected")
	}
	return await(conn, c)
}

// await reads until the expected reply has come.
func await(r io.Reader, c *zones.Check) Result {
	limit := bodyLimit(c)
	seen := make([]byte, 0, 512)
	for len(seen) < limit {
		if len(seen) == cap(seen) {
			seen = append(seen, 0)[:len(seen)]
		}
		n, err := r.Read(seen[len(seen):min(cap(seen), limit)])
		from := max(0, len(seen)-len(c.ExpectReply)) // what was seen before cannot hold the whole of it
		seen = seen[:len(seen)+n]
		if bytes.Contains(seen[from:], []byte(c.ExpectReply)) {
			return success("got the expected reply")
		}
		if err != nil && len(seen) > 0 {
			return failure("reply is %q, wanted %q", printable(string(seen), 60), printable(c.ExpectReply, 60))
		}
		if err != nil {
			return replyFailure(err, c)
		}
	}
	return failure("reply does not contain %q in its first %d bytes", printable(c.ExpectReply, 60), limit)
}

// bodyLimit is how much of a reply is read.
func bodyLimit(c *zones.Check) int {
	if c.BodyLimit > 0 {
		return c.BodyLimit
	}
	return 65536
}
