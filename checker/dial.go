package checker

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"github.com/livens/livens/zones"
)

// dial opens a connection to the target's address and port, whatever host its check names. The connection's deadline
// is the context's. A nil connection comes with the result that the probe then has.
func dial(ctx context.Context, network string, t Target) (net.Conn, Result) {
	// A probe's connection lives for less than a keep-alive interval.
	conn, err := t.connect(ctx, network, net.Dialer{KeepAlive: -1})
	if err != nil {
		return nil, connectFailure(err, t)
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline) // fails on a closed connection only, which the next call finds out
	}
	return conn, Result{}
}

// connect opens a connection to the target: with d, or with Options.Dial in its place.
func (t Target) connect(ctx context.Context, network string, d net.Dialer) (net.Conn, error) {
	dial := d.DialContext
	if t.dialer != nil {
		dial = t.dialer
	}
	return dial(ctx, network, netip.AddrPortFrom(t.Address, t.Check.Port).String())
}

// connectFailure judges a connection that did not come about.
//
//   - Refused and reset were said by the target's host: a failure.
//   - No answer is a silent failure.
//   - Unreachable: if this host has no route there, it cannot tell: unclear. If it has one, then a router says so (its
//     own, or one close to the target) or, after seconds and so mostly beyond the timeout, this host's neighbour
//     discovery does. The two cannot be told apart from a socket, and neither shows that the target's side
//     is alive: a failure at once, and a silent one.
//   - Every other error comes from this host (no free port, too many open files, a local firewall): unclear.
func connectFailure(err error, t Target) Result {
	switch {
	case timedOut(err):
		return silence("connect: no answer in %s", t.Check.Timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return failure("connect: refused")
	case errors.Is(err, syscall.ECONNRESET):
		return failure("connect: reset by peer")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		if routed(t.Address) {
			return silence("connect: unreachable, says the network")
		}
		return unclear("no route from here to %s", t.Address)
	}
	return unclear("cannot probe from here: %s", plain(err))
}

// datagramFailure judges an error on a socket without connections. What is not ICMP's word comes from this host.
func datagramFailure(err error, t Target) Result {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return failure("refused: nothing listens on port %d", t.Check.Port)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return connectFailure(err, t)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return unclear("cannot probe from here: %s", plain(err))
	}
	return failure("%s", plain(err))
}

// routed says that this host knows a way to the address. Connecting a UDP socket looks up the route and sends nothing.
func routed(a netip.Addr) bool {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 9)))
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// replyFailure judges a connection on which the wanted reply did not come. Since it was accepted, something was heard.
func replyFailure(err error, c *zones.Check) Result {
	switch {
	case timedOut(err):
		return failure("no reply in %s", c.Timeout)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return failure("reset by peer")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return failure("closed before a reply")
	}
	return failure("%s", plain(err))
}

func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT)
}

// plain is an error's own words, without the operation and the names that the net and os packages put before them.
func plain(err error) string {
	var op *net.OpError
	for errors.As(err, &op) {
		err = op.Err
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		err = sys.Err
	}
	return printable(err.Error(), 200)
}

// printable makes text from outside fit for a log line and a terminal: one line of at most limit bytes.
func printable(s string, limit int) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return strings.TrimSpace(s)
}
