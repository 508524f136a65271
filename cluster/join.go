package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

const (
	joinPause       = 500 * time.Millisecond
	silence         = 5 * heartbeat / 2 // after which a peer is joined again, whatever the library believes
	tryPatience     = 2 * time.Second   // for one try at one address: several ways to the far side of the world
	maxTries        = int(tryPatience / joinPause)
	resolvePatience = joinPause
)

var errStranger = errors.New("it answers, but not as this peer: compare `advertise` there with `peers` here, and see the faults of both")

// keepJoined joins a peer again and again while it is not a member, or says nothing. The library does not do so by itself once
// it has forgotten a dead peer, and takes seconds to call one dead. Each try goes its own way: one at a peer that takes the
// connection and is stopped, or at an address behind a black hole, must not hold up the next, which may find the peer back, or
// its name somewhere else.
func (t *Transport) keepJoined(ctx context.Context, c *contact) {
	tick := time.NewTicker(joinPause)
	defer tick.Stop()
	var tries sync.WaitGroup
	defer tries.Wait()
	places := make(chan struct{}, maxTries)
	for {
		if t.contacts.lost(c, time.Now()) {
			select {
			case places <- struct{}{}:
				tries.Go(func() {
					defer func() { <-places }()
					if err := t.join(ctx, c); err != nil && ctx.Err() == nil {
						t.contacts.failed(c, err)
					}
				})
			default:
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// join tries the peer's addresses, all at once. When its name does not resolve now, the addresses that it had are tried.
func (t *Transport) join(ctx context.Context, c *contact) error {
	addrs, err := resolve(ctx, c.link.Peer)
	if err == nil {
		t.contacts.resolved(c, addrs, time.Now())
	}
	candidates := t.contacts.candidates(c)
	failed := make([]error, len(candidates))
	var tries sync.WaitGroup
	for i, addr := range candidates {
		tries.Go(func() { failed[i] = t.joinAt(c, addr) })
	}
	tries.Wait()
	if t.contacts.link(c).Up {
		return nil
	}
	return errors.Join(err, errors.Join(failed...))
}

func (t *Transport) joinAt(c *contact, addr netip.AddrPort) error {
	_, err := t.library.Join([]string{addr.String()})
	if err == nil {
		return errStranger // unless the peer is up now
	}
	if only := errors.Unwrap(err); only != nil {
		return only // of a list that has one entry, and is printed in several lines
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
