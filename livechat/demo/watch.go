package main

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
	"github.com/miekg/dns"
)

// state is what the page shows: what was done to everybody, and what the nameservers make of it.
type state struct {
	Shop        string            `json:"shop"` // URLs
	Operator    string            `json:"operator"`
	Deployments []deploymentState `json:"deployments"`
	Nameservers []nameserverState `json:"nameservers"`
	Switches    []switched        `json:"switches"` // newest first
	Why         string            `json:"why"`      // the reason of the decision
	Pending     string            `json:"pending"`  // what time will change
}

type deploymentState struct {
	Name      string `json:"name"`
	Site      string `json:"site"`
	Address   string `json:"address"`
	Condition string `json:"condition"` // what was done to it
	Active    bool   `json:"active"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	Gate      string `json:"gate"`
	Drained   bool   `json:"drained"`
	Votes     []vote `json:"votes"`
}

type vote struct {
	Nameserver string `json:"nameserver"`
	State      string `json:"state"`
	Doubt      bool   `json:"doubt"`
}

type nameserverState struct {
	Name      string `json:"name"`
	Site      string `json:"site"`
	Condition string `json:"condition"`
	Answers   string `json:"answers"` // the deployment; "": nothing
	TTL       uint32 `json:"ttl"`
	Epoch     uint64 `json:"epoch"`
	Reach     int    `json:"reach"` // observers that it hears, itself among them
	Size      int    `json:"size"`
	Quorum    bool   `json:"quorum"`
	Page      string `json:"page"` // its own status page

	status *web.Status
	events []events.Happened
}

type switched struct {
	At     time.Time `json:"at"`
	From   string    `json:"from"`
	To     string    `json:"to"`
	Reason string    `json:"reason"`
}

// watch asks all nameservers again and again, and keeps what the page shows.
type watch struct {
	cast *cast
	last atomic.Pointer[[]byte]
}

const (
	watchPause = 200 * time.Millisecond
	askLimit   = 500 * time.Millisecond

	eventsAsked = 100 // the last ones, switches among them
)

func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	for ctx.Err() == nil {
		doc, err := json.Marshal(w.look(ctx))
		if err == nil { // it is made of strings and numbers
			w.last.Store(&doc)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// look asks all at once; who does not answer in time is shown as silent.
func (w *watch) look(ctx context.Context) *state {
	s := &state{Shop: w.cast.site.url + "/visit", Operator: w.cast.site.url + "/enter", Nameservers: make([]nameserverState, len(w.cast.nameservers))}
	var asked sync.WaitGroup
	for i, n := range w.cast.nameservers {
		asked.Go(func() { s.Nameservers[i] = w.ask(ctx, n) })
	}
	asked.Wait()
	var best *nameserverState // the best informed: whoever has a quorum knows what was agreed
	for i := range s.Nameservers {
		if n := &s.Nameservers[i]; n.status != nil && (best == nil || n.Quorum && !best.Quorum) {
			best = n
		}
	}
	for _, d := range w.cast.deployments {
		s.Deployments = append(s.Deployments, deploymentState{Name: d.Name, Site: d.Site, Address: d.Known.String(), Condition: d.condition()})
	}
	if best != nil {
		s.tell(best)
	}
	return s
}

// ask asks one nameserver, as a resolver would for its answer, and on its control socket for what it knows.
func (w *watch) ask(ctx context.Context, n *nameserver) nameserverState {
	out := nameserverState{Name: n.Name, Site: n.Site, Condition: n.condition()}
	process := n.process()
	if process == nil {
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	addr, ttl := resolve(ctx, n.Known)
	for _, d := range w.cast.deployments {
		if d.Known.Addr() == addr {
			out.Answers, out.TTL = d.Name, ttl
		}
	}
	status, err := process.Client.Status(ctx)
	if err != nil || status.Cluster == nil {
		return out
	}
	if happened, err := process.Client.Events(ctx, eventsAsked, poolName); err == nil {
		out.events = happened.Events
	}
	out.status, out.Reach, out.Size, out.Quorum = status, status.Cluster.Reach, status.Cluster.Size, status.Cluster.Quorum
	out.Page = "http://" + status.Listen.HTTP + "/"
	if p := status.Pool(poolName); p != nil {
		out.Epoch = p.Epoch
	}
	return out
}

// resolve asks for the chat's address.
func resolve(ctx context.Context, server netip.AddrPort) (netip.Addr, uint32) {
	reply, err := dns.ExchangeContext(ctx, new(dns.Msg).SetQuestion(dns.Fqdn(zoneName), dns.TypeA), server.String())
	if err != nil {
		return netip.Addr{}, 0
	}
	for _, rr := range reply.Answer {
		if a, ok := rr.(*dns.A); ok {
			addr, _ := netip.AddrFromSlice(net.IP.To4(a.A))
			return addr, a.Hdr.Ttl
		}
	}
	return netip.Addr{}, 0
}

// tell takes over what the best informed nameserver knows.
func (s *state) tell(from *nameserverState) {
	if p := from.status.Pool(poolName); p != nil {
		s.Why, s.Pending = p.Reason, p.Pending
		for i := range s.Deployments {
			s.Deployments[i].fill(p)
		}
	}
	for i := len(from.events) - 1; i >= 0; i-- {
		if e := from.events[i]; e.Kind == failover.EventSwitch {
			s.Switches = append(s.Switches, switched{e.At, e.From, e.To, e.Reason})
		}
	}
}

func (d *deploymentState) fill(p *web.Pool) {
	for _, x := range p.Deployments {
		if x.Name == d.Name {
			d.Active, d.State, d.Reason, d.Drained = x.Answers, x.State.String(), x.Reason, x.Drained != ""
			d.Gate = string(x.Gate)
		}
	}
	for _, t := range p.Targets {
		if t.Deployment == d.Name && t.Check != "sync" {
			for _, v := range t.Votes {
				d.Votes = append(d.Votes, vote{v.Nameserver, v.State.String(), v.Doubt})
			}
		}
	}
}
