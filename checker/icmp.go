package checker

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	probing "github.com/prometheus-community/pro-bing"
)

// icmpProber sends one echo request and waits for its reply.
type icmpProber struct {
	t    Target
	work *sync.WaitGroup // holds pingers that have their reply and are still closing
}

func newICMP(t Target, work *sync.WaitGroup) prober { return icmpProber{t, work} }

func (p icmpProber) probe(ctx context.Context) Result {
	if !routed(p.t.Address) {
		return unclear("no route from here to %s", p.t.Address)
	}
	pinger := probing.New(p.t.Address.String())
	pinger.SetIPAddr(&net.IPAddr{IP: p.t.Address.AsSlice()})
	pinger.SetPrivileged(true)
	pinger.SetLogger(probing.NoopLogger{})
	pinger.RecordRtts = false
	pinger.RecordTTLs = false
	pinger.Count = 1
	pinger.Timeout = max(time.Until(deadline(ctx)), time.Millisecond)
	return p.ping(ctx, pinger)
}

// ping returns as soon as the reply is there: the pinger itself takes up to 100 ms more to notice that it is done.
func (p icmpProber) ping(ctx context.Context, pinger *probing.Pinger) Result {
	replied := make(chan time.Duration, 1)
	ended := make(chan error, 1)
	pinger.OnRecv = func(reply *probing.Packet) {
		select {
		case replied <- reply.Rtt:
		default:
		}
	}
	p.work.Go(func() { ended <- pinger.RunWithContext(ctx) })
	var err error
	select {
	case rtt := <-replied:
		return Result{Outcome: Success, Reason: "echo reply", Latency: rtt}
	case err = <-ended:
	}
	if len(replied) > 0 {
		return Result{Outcome: Success, Reason: "echo reply", Latency: <-replied}
	}
	return p.noReply(err)
}

func (p icmpProber) noReply(err error) Result {
	switch {
	case errors.Is(err, os.ErrPermission):
		return unclear("no permission for ICMP: give livens CAP_NET_RAW (setcap cap_net_raw+ep, or AmbientCapabilities= in its unit)")
	case err == nil, timedOut(err), errors.Is(err, context.Canceled):
		return silence("no echo reply in %s", p.t.Check.Timeout)
	}
	return datagramFailure(err, p.t)
}
