package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

const (
	joinPause       = 500 * time.Millisecond
	resolvePatience = 2 * time.Second
)

var errStranger = errors.New("it answers, but not as this peer: compare `advertise` there with `peers` here, and see the faults of both")

// keepJoined joins a peer again and again while it is not a member. The library does not do so by itself once it has
// forgotten a dead peer.
func (t *Transport) keepJoined(ctx context.Context, c *contact) {
	tick := time.NewTicker(joinPause)
	defer tick.Stop()
	for {
		if !t.contacts.link(c).Up {
			if err := t.join(ctx, c); err != nil && ctx.Err() == nil {
				t.contacts.failed(c, err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// join tries the peer's addresses, one after the other. When its name does not resolve now, the addresses that it had
// are tried.
func (t *Transport) join(ctx context.Context, c *contact) error {
	addrs, err := resolve(ctx, c.link.Peer)
	if err == nil {
		t.contacts.resolved(c, addrs, time.Now())
	}
	for _, addr := range t.contacts.candidates(c) {
		_, joinErr := t.library.Join([]string{addr.String()})
		if t.contacts.link(c).Up {
			return nil
		}
		if joinErr == nil {
			joinErr = errStranger
		} else if only := errors.Unwrap(joinErr); only != nil {
			joinErr = only // of a list that has one entry, and is printed in several lines
		}
		err = errors.Join(err, joinErr)
	}
	return err
}

// resolve gives the addresses of host:port, at least one unless there is an error.
func resolve(ctx context.Context, peer string) ([]netip.AddrPort, error) {
	if addr, err := netip.ParseAddrPort(peer); err == nil {
		return []netip.AddrPort{plain(addr)}, nil
	}
	host, service, err := net.SplitHostPort(peer)
	if err != nil {
		return nil, fmt.Errorf("peer %q is not host:port: %w", peer, err)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("peer %q has no port number: %w", peer, err)
	}
	ctx, cancel := context.WithTimeout(ctx, resolvePatience)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	addrs := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		addrs[i] = plain(netip.AddrPortFrom(ip, uint16(port)))
	}
	return addrs, nil
}
