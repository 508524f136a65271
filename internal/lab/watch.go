package lab

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Watch asks a nameserver or resolver for the addresses of a name, again and again, and keeps when the answer changed.
type Watch struct {
	Watched
	conn   *net.UDPConn
	client dns.Client

	mu      sync.Mutex
	line    Timeline
	queries int
	slowest time.Duration
}

// Watched says what is asked, and how.
type Watched struct {
	Server  netip.AddrPort
	Name    string
	Timeout time.Duration // until a query counts as met with Silence
	Epochs  bool          // ask for TXT _livens.NAME as well (dns.debug_names)
}

// watchPause is between one answer and the next query.
const watchPause = 10 * time.Millisecond

// Watch begins one that asks from the host, until the test ends.
func (h *Host) Watch(t testing.TB, what Watched) *Watch {
	t.Helper()
	conn, err := h.DialUDP(what.Server)
	if err != nil {
		t.Fatal(err)
	}
	w := &Watch{Watched: what, conn: conn, client: dns.Client{Timeout: what.Timeout}}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		w.run(end)
	}()
	t.Cleanup(func() {
		close(end)
		conn.Close() // which ends a wait for a response
		<-ended
	})
	return w
}

// Timeline is what was seen so far.
func (w *Watch) Timeline() Timeline {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.line)
}

// Asked is how many queries there were, and the longest that a response took.
func (w *Watch) Asked() (queries int, slowest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queries, w.slowest
}

func (w *Watch) run(end <-chan struct{}) {
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	for {
		w.ask()
		select {
		case <-end:
			return
		case <-tick.C:
		}
	}
}

func (w *Watch) ask() {
	sent := time.Now()
	reply := w.exchange(w.Name, dns.TypeA)
	now := Change{At: time.Now(), Answer: answerOf(reply)}
	took := now.At.Sub(sent)
	if reply == nil {
		now.At, took = sent, 0
	}
	if w.Epochs && reply != nil {
		now.Epoch = epochOf(w.exchange("_livens."+w.Name, dns.TypeTXT))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queries++
	w.slowest = max(w.slowest, took)
	if i := len(w.line) - 1; i < 0 || w.line[i].Answer != now.Answer || w.line[i].Epoch != now.Epoch {
		w.line = append(w.line, now)
	}
}

// exchange is one query; nil: no response. A socket that was refused goes on being used.
func (w *Watch) exchange(name string, qtype uint16) *dns.Msg {
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	reply, _, err := w.client.ExchangeWithConn(query, &dns.Conn{Conn: w.conn})
	if err != nil {
		return nil
	}
	return reply
}

// answerOf is a response in one word: its addresses, or what it is instead.
func answerOf(reply *dns.Msg) string {
	switch {
	case reply == nil:
		return Silence
	case reply.Rcode != dns.RcodeSuccess:
		return dns.RcodeToString[reply.Rcode]
	}
	var addrs []string
	for _, rr := range reply.Answer {
		if a, ok := rr.(*dns.A); ok {
			addrs = append(addrs, a.A.String())
		}
	}
	if len(addrs) == 0 {
		return Empty
	}
	return strings.Join(addrs, " ")
}

// epochOf reads what livens tells under _livens; 0: nothing.
func epochOf(reply *dns.Msg) uint64 {
	if reply == nil {
		return 0
	}
	for _, rr := range reply.Answer {
		txt, ok := rr.(*dns.TXT)
		if !ok {
			continue
		}
		for _, s := range txt.Txt {
			if number, ok := strings.CutPrefix(s, "epoch="); ok {
				epoch, _ := strconv.ParseUint(number, 10, 64) // 0 is: not known
				return epoch
			}
		}
	}
	return 0
}
