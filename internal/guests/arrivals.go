package guests

import (
	"net/netip"
	"time"
)

// Limits of new connections from one client, an IPv4 address or an IPv6 /64. A handshake costs this nameserver a signature,
// and a browser keeps its connection: many people behind one address stay far below this, a flood does not.
const (
	arrivalBurst = 500
	arrivalRate  = 100  // a second
	maxArrivals  = 8192 // clients of which is remembered what they took
)

// arrivals says who may connect now. Pure: the time is handed in.
type arrivals struct {
	clients map[netip.Addr]allowance
}

// allowance is what a client may still take at once.
type allowance struct {
	left float64
	at   time.Time
}

// admit takes one connection of a client, or says that there were too many.
func (a *arrivals) admit(client netip.Addr, now time.Time) bool {
	if a.clients == nil {
		a.clients = map[netip.Addr]allowance{}
	}
	one, known := a.clients[client]
	if !known {
		a.makeRoom(now)
		one = allowance{arrivalBurst, now}
	}
	one = one.grown(now)
	admitted := one.left >= 1
	if admitted {
		one.left--
	}
	a.clients[client] = one
	return admitted
}

// grown is the allowance as it is by now.
func (one allowance) grown(now time.Time) allowance {
	return allowance{min(arrivalBurst, one.left+max(0, now.Sub(one.at).Seconds())*arrivalRate), now}
}

// makeRoom forgets clients whose allowance is whole again, and if that is nobody any one: floods from very many addresses
// are bounded by the number of connections.
func (a *arrivals) makeRoom(now time.Time) {
	if len(a.clients) < maxArrivals {
		return
	}
	for client, one := range a.clients {
		if one.grown(now).left == arrivalBurst {
			delete(a.clients, client)
		}
	}
	for client := range a.clients {
		if len(a.clients) < maxArrivals {
			return
		}
		delete(a.clients, client)
	}
}
