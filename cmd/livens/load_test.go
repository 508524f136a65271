package main

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"
)

// load asks a server without pause, over UDP and TCP, and notes every query that went unanswered or was answered
// wrongly.
type load struct {
	quit    chan struct{}
	clients sync.WaitGroup
	asked   atomic.Int64

	mu     sync.Mutex
	wrong  []string
	failed int
}

// startLoad asks for name's A records, which must be one of the addresses allowed.
func startLoad(server, name string, allowed ...string) *load {
	l := &load{quit: make(chan struct{})}
	for _, network := range []string{"udp", "udp", "tcp"} {
		l.clients.Go(func() { l.run(network, server, name, allowed) })
	}
	return l
}

func (l *load) run(network, server, name string, allowed []string) {
	conn, err := net.Dial(network, server)
	if err != nil {
		l.note("%s: %v", network, err)
		return
	}
	c := &dns.Conn{Conn: conn}
	defer c.Close()
	for {
		select {
		case <-l.quit:
			return
		default:
		}
		q := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA)
		_ = c.SetDeadline(time.Now().Add(patience))
		if err := c.WriteMsg(q); err != nil {
			l.note("%s: %v", network, err)
			return
		}
		reply, err := c.ReadMsg()
		if err != nil {
			l.note("%s: %v", network, err)
			return
		}
		l.asked.Add(1)
		if problem := judgeReply(q, reply, allowed); problem != "" {
			l.note("%s: %s", network, problem)
		}
	}
}

func judgeReply(q, reply *dns.Msg, allowed []string) string {
	if reply.Id != q.Id || reply.Rcode != dns.RcodeSuccess || !reply.Authoritative || len(reply.Answer) != 1 {
		return fmt.Sprintf("wrong answer: %v", reply)
	}
	a, ok := reply.Answer[0].(*dns.A)
	for _, address := range allowed {
		if ok && a.A.String() == address {
			return ""
		}
	}
	return fmt.Sprintf("wrong address: %v", reply.Answer[0])
}

func (l *load) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed++; len(l.wrong) < 5 {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

func (l *load) stop() {
	select {
	case <-l.quit:
	default:
		close(l.quit)
	}
	l.clients.Wait()
}

// load NAME ADDRESS… asks for name all the while; "! load" stops, and fails if a query was lost or answered wrongly.
func cmdLoad(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if !neg {
		w.load = startLoad(w.dns.String(), args[0], args[1:]...)
		return
	}
	l := w.load
	w.load = nil
	const enough = 100
	_ = eventually(func() error { // on a busy machine, after the last edit
		if l.asked.Load() < enough {
			return errors.New("it has just begun")
		}
		return nil
	})
	l.stop()
	if l.failed > 0 || l.asked.Load() < enough {
		ts.Fatalf("%d of %d queries lost or answered wrongly: %q", l.failed, l.asked.Load(), l.wrong)
	}
	ts.Logf("%d queries, none lost", l.asked.Load())
}
