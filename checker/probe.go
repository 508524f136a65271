package checker

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/livens/livens/zones"
)

// prober probes one target, again and again, several times at once. It keeps what is costly to make anew.
type prober interface {
	// probe asks the target once. ctx carries the check's timeout and ends early when the target is removed.
	// The result's Latency is filled in by the caller where it is left zero.
	probe(ctx context.Context) Result
}

// keeper is a prober that keeps something open between probes.
type keeper interface{ end() }

// sentinel is a keeper that notices when a target's side ends what is kept.
type sentinel interface {
	tellLoss(to func()) // before the first probe
	watches() bool      // now
	opens() bool        // to be kept, at the next probe
}

// end closes what a prober keeps, for good.
func end(p prober) {
	if k, ok := p.(keeper); ok {
		k.end()
	}
}

// newProber is the prober of a target's kind. What a probe leaves running for a moment after its result is added to work.
func newProber(t Target, agent string, work *sync.WaitGroup) prober {
	switch t.Check.Kind {
	case zones.HTTP, zones.HTTPS:
		return newHTTP(t, agent)
	case zones.TCP:
		return newTCP(t)
	case zones.TLS:
		return newTLS(t)
	case zones.WebSocket:
		return newWebSocket(t, agent)
	case zones.DNS:
		return newDNS(t)
	case zones.ICMP:
		return newICMP(t, work)
	case zones.Exec:
		return newExec(t)
	case zones.File:
		return newFile(t)
	case zones.Static:
		return static{t.Check.Up}
	}
	return broken{fmt.Sprintf("no such kind of check: %q", t.Check.Kind)}
}

// broken stands for a check that cannot be run at all.
type broken struct{ reason string }

func (b broken) probe(context.Context) Result { return unclear("%s", b.reason) }

// Probe asks a target once and waits for the result, at most for the check's timeout.
func Probe(ctx context.Context, o Options, t Target) Result {
	ctx, cancel := context.WithTimeout(ctx, t.Check.Timeout)
	defer cancel()
	t.dialer = o.Dial
	var work sync.WaitGroup
	defer work.Wait()
	p := newProber(t, o.agent(), &work)
	defer end(p)
	return guarded(ctx, p, func([]byte) {})
}

// guarded probes, measures, and survives a panic of the prober: a fault of ours says nothing about the target. onFault
// is told its stack.
func guarded(ctx context.Context, p prober, onFault func(stack []byte)) (r Result) {
	start := time.Now()
	defer func() {
		if fault := recover(); fault != nil {
			onFault(debug.Stack())
			r = faulty(fault)
		}
		if r.Latency == 0 {
			r.Latency = time.Since(start)
		}
	}()
	return p.probe(ctx)
}

func faulty(fault any) Result {
	return unclear("fault in the probe itself: %s", printable(fmt.Sprint(fault), 200))
}

func success(format string, args ...any) Result {
	return Result{Outcome: Success, Reason: fmt.Sprintf(format, args...)}
}

// failure is one that the target's side has told us, or that has nothing to do with the network.
func failure(format string, args ...any) Result {
	return Result{Outcome: Failure, Reason: fmt.Sprintf(format, args...)}
}

// silence is a failure in which nothing was heard from the target's side.
func silence(format string, args ...any) Result {
	return Result{Outcome: Failure, Silent: true, Reason: fmt.Sprintf(format, args...)}
}

func unclear(format string, args ...any) Result {
	return Result{Outcome: Unclear, Reason: fmt.Sprintf(format, args...)}
}
