package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/failover"
)

// load is what queries saw while zones were reloaded and pools switched under them.
type load struct {
	Seconds  float64 `json:"seconds"`
	Queries  int     `json:"queries"`
	Lost     int     `json:"lost"`
	Wrong    int     `json:"wrong"`
	Reloads  int     `json:"reloads"`
	Switches int     `json:"switches"`
	First    string  `json:"first_wrong,omitempty"`
}

const (
	loadSockets = 4
	loadPipe    = 16 // queries on their way, a socket: what the kernel's buffers hold for certain
	lostAfter   = time.Second
	reloadEvery = 200 * time.Millisecond
	switchEvery = time.Second
)

// question is a query with what a right reply must say, whatever has been reloaded or switched.
type question struct {
	name  string
	qtype uint16
	right func(*dns.Msg) bool
}

// underLoad asks without pause while the zone file is edited and reloaded, and the pool switched to and fro.
func (b *bench) underLoad() (load, error) {
	ps, err := b.start(defaults, 1)
	if err != nil {
		return load{}, err
	}
	defer ps.stop()
	ctx, cancel := context.WithTimeout(b.ctx, b.loadTime)
	defer cancel()
	result := load{Seconds: b.loadTime.Seconds()}
	var mu sync.Mutex
	var work sync.WaitGroup
	var failed error
	add := func(f func() error) {
		work.Go(func() {
			if err := f(); err != nil {
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
				cancel()
			}
		})
	}
	questions := ps.questions()
	for range loadSockets {
		add(func() error {
			r, err := ask(ctx, ps.nameserver.DNS, questions)
			mu.Lock()
			defer mu.Unlock()
			result.Queries, result.Lost, result.Wrong = result.Queries+r.Queries, result.Lost+r.Lost, result.Wrong+r.Wrong
			if result.First == "" {
				result.First = r.First
			}
			return err
		})
	}
	add(func() (err error) { result.Reloads, err = ps.reload(ctx); return err })
	add(func() (err error) { result.Switches, err = ps.switchToAndFro(ctx); return err })
	work.Wait()
	return result, failed
}

func (ps *pools) questions() []question {
	answersWith := func(allowed ...string) func(*dns.Msg) bool {
		return func(m *dns.Msg) bool {
			if m.Rcode != dns.RcodeSuccess || len(m.Answer) != 1 {
				return false
			}
			fields := strings.Fields(m.Answer[0].String())
			for _, a := range allowed {
				if fields[len(fields)-1] == a {
					return true
				}
			}
			return false
		}
	}
	return []question{
		{"p0.bench.test.", dns.TypeA, answersWith(ps.primaries[0].Addr.Addr().String(), ps.redundant.Addr.Addr().String())},
		{"ns.bench.test.", dns.TypeA, answersWith("127.0.0.1")},
		{"no.such.bench.test.", dns.TypeA, func(m *dns.Msg) bool { return m.Rcode == dns.RcodeNameError && len(m.Ns) == 1 }},
	}
}

// ask keeps loadPipe queries on their way until ctx is done, and then waits for the last ones. A reply is lost that has not come when the
// socket has been silent for lostAfter, or when its id is used again.
func ask(ctx context.Context, server netip.AddrPort, questions []question) (load, error) {
	var r load
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return r, err
	}
	defer conn.Close()
	pending := map[uint16]question{}
	send := func() error {
		q := questions[r.Queries%len(questions)]
		m := new(dns.Msg).SetQuestion(q.name, q.qtype)
		m.Id = uint16(r.Queries)
		r.Queries++
		if _, lost := pending[m.Id]; lost {
			r.Lost++
		}
		pending[m.Id] = q
		wire, err := m.Pack()
		if err == nil {
			_, err = conn.Write(wire)
		}
		return err
	}
	for range loadPipe {
		if err := send(); err != nil {
			return r, err
		}
	}
	buf := make([]byte, 65536)
	for len(pending) > 0 {
		if err := conn.SetReadDeadline(time.Now().Add(lostAfter)); err != nil {
			return r, err
		}
		n, err := conn.Read(buf)
		if err != nil {
			r.Lost += len(pending)
			return r, nil
		}
		r.judge(buf[:n], pending)
		if ctx.Err() == nil {
			if err := send(); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

func (r *load) judge(wire []byte, pending map[uint16]question) {
	var m dns.Msg
	err := m.Unpack(wire)
	q, asked := pending[m.Id]
	delete(pending, m.Id)
	if err == nil && asked && q.right(&m) {
		return
	}
	r.Wrong++
	if r.First == "" {
		r.First = fmt.Sprintf("%s: %v %v", q.name, err, m.String())
	}
}

// reload edits a record that nobody asks for, again and again, and has the zones read anew.
func (ps *pools) reload(ctx context.Context) (int, error) {
	path := filepath.Join(filepath.Dir(ps.nameserver.Config), "zones", "bench.test.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n := 0
	for tick := time.Tick(reloadEvery); ; n++ {
		select {
		case <-ctx.Done():
			return n, nil
		case <-tick:
		}
		edited := strings.Replace(string(text), `"ns A 127.0.0.1"`, fmt.Sprintf(`"ns A 127.0.0.1", "edit TXT %d"`, n), 1)
		if err := os.WriteFile(path+".new", []byte(edited), 0o644); err != nil {
			return n, err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return n, err
		}
		done, err := ps.nameserver.Client.Reload(context.WithoutCancel(ctx))
		if err != nil || !done.OK {
			return n, fmt.Errorf("reload %d: %v %w", n, done, err)
		}
	}
}

func (ps *pools) switchToAndFro(ctx context.Context) (int, error) {
	names := []string{"redundant", "primary"}
	n := 0
	for tick := time.Tick(switchEvery); ; n++ {
		select {
		case <-ctx.Done():
			return n, nil
		case <-tick:
		}
		o := failover.Order{Verb: failover.DoFailover, Pool: "p0", Deployment: names[n%2], Who: "bench"}
		done, err := ps.nameserver.Client.Order(context.WithoutCancel(ctx), o)
		if err != nil {
			return n, fmt.Errorf("switch %d: %w", n, err)
		}
		if done.Pool.Active[0] != o.Deployment {
			return n, fmt.Errorf("switch %d: %s answers, not %s", n, done.Pool.Active[0], o.Deployment)
		}
	}
}
