package checker

import (
	"bytes"
	"context"
	"runtime/debug"
	"time"
)

// asker is a prober that can send a probe's request and leave it to the poller to read the reply, so that the probe costs no
// goroutine: of very many targets nearly all probes are like that.
type asker interface {
	answerTo(to func(flight, answer)) // before the first probe
	// request sends that of a probe, whose answer is told later. false: there is no connection for that, or it has ended.
	request(f flight) bool
	// giveUp ends waiting for the answer to a probe that was asked. false: nobody waits for it.
	giveUp(probe uint64) (Result, flight, bool)
	// ends is when a probe that was asked is to be given up. false: nobody waits for its answer.
	ends(probe uint64) (time.Time, bool)
}

// answer is what has come of a probe that was asked: its result, or the rest of the probe, which needs a goroutine.
type answer struct {
	Result
	fault []byte // the stack of a panic
	rest  prober // nil: there is the result
	again bool   // the connection may serve another probe
}

// mostHeard is what is read of a reply at once, in bytes; what fills it may be followed by more.
const mostHeard = 8 << 10

// rest is what is left of a probe.
type rest func(context.Context) Result

func (r rest) probe(ctx context.Context) Result { return r(ctx) }

// ask sends a request on the idle connection, if that is polled and its time is not over.
func (k *kept) ask(f flight, request []byte) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.idle
	if l == nil || l.poller == nil || k.asked != nil || f.began.After(l.until) {
		return false
	}
	k.idle = nil
	if !l.send(request) {
		l.Close()
		return false
	}
	k.asked, k.flight = l, f
	return true
}

// readable is called by the poller when there is something to read. While the connection is neither idle nor asked, a probe's
// goroutine has it and reads itself.
func (k *kept) readable(l *keptConn, buf []byte) {
	k.mu.Lock()
	idle, asked := k.idle == l, k.asked == l
	if l.poller == nil || !idle && !asked {
		k.mu.Unlock()
		return
	}
	n, again, err := l.receive(buf)
	switch {
	case again:
		k.mu.Unlock()
	case idle:
		k.lose(l)
	default:
		f := k.flight
		k.asked = nil
		k.mu.Unlock()
		k.answered(l, f, buf[:n], err)
	}
}

// answered tells what has come of a probe, once the connection is kept or closed unless the rest of the probe has it.
func (k *kept) answered(l *keptConn, f flight, data []byte, err error) {
	a := k.reply(l, f, data, err)
	if a.rest == nil {
		k.mu.Lock()
		keeps := a.again && k.hold(l)
		k.mu.Unlock()
		if !keeps {
			l.Close()
		}
	}
	k.told(f, a)
}

// giveUp closes the connection on which a probe was asked.
func (k *kept) giveUp(probe uint64) (flight, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asked == nil || k.flight.probe != probe {
		return flight{}, false
	}
	k.asked.Close()
	k.asked = nil
	return k.flight, true
}

func (p *httpProber) answerTo(to func(flight, answer)) { p.kept.told = to }

func (p *httpProber) request(f flight) bool { return p.kept.ask(f, p.wire) }

func (p *httpProber) ends(probe uint64) (time.Time, bool) {
	p.kept.mu.Lock()
	defer p.kept.mu.Unlock()
	if p.kept.asked == nil || p.kept.flight.probe != probe {
		return time.Time{}, false
	}
	return p.kept.flight.began.Add(p.t.Check.Timeout), true
}

func (p *httpProber) giveUp(probe uint64) (Result, flight, bool) {
	f, ok := p.kept.giveUp(probe)
	return silence("no reply in %s", p.t.Check.Timeout), f, ok
}

// reply judges what has come of a reply in one piece. What is not all of a plain one is for a goroutine.
func (p *httpProber) reply(l *keptConn, f flight, data []byte, err error) (a answer) {
	defer func() {
		if fault := recover(); fault != nil {
			a = answer{Result: faulty(fault), fault: debug.Stack()}
		}
	}()
	if status, body, ok := plainText(data, p.head); ok && len(data) < mostHeard {
		r := p.content(status, bytes.NewReader(body))
		r.Latency = time.Since(f.began)
		return answer{Result: r, again: r.Outcome == Success}
	}
	if len(data) > 0 {
		l.rest, l.err = bytes.Clone(data), err
		return answer{rest: rest(func(context.Context) Result {
			l.SetDeadline(f.began.Add(p.t.Check.Timeout))
			r, _ := p.hear(l)
			r.Latency = time.Since(f.began)
			return r
		})}
	}
	l.Close()
	if timedOut(err) {
		return answer{Result: p.unheard(err, l)}
	}
	// The server has closed it meanwhile, as it may: that says nothing.
	return answer{rest: rest(p.anew)}
}
