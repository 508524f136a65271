package dnsserver

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// dialFrom is dialTCP from one of the loopback's addresses: a client of its own.
func dialFrom(t *testing.T, s *Server, host string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	conn, err := d.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { conn.Close() })
	return conn
}

// askOver asks one question and expects its answer.
func askOver(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.Write(framed(t, question("www.example.test. A")))
	if m := readFramed(t, conn); len(m.Answer) != 1 {
		t.Fatal(m)
	}
}

// waitAlike has all open connections wait since the same moment. Who was answered just now may not wait yet: it is waited for.
func waitAlike(t *testing.T, s *Server) {
	t.Helper()
	until(t, "all connections wait for a query", func() bool {
		stacks := make([]byte, 4<<20)
		waiting := 0
		for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(stack, "(*connection).receive") && strings.Contains(stack, "[IO wait") {
				waiting++
			}
		}
		return waiting == s.tcp.open()
	})
	s.tcp.mu.Lock()
	defer s.tcp.mu.Unlock()
	for c := range s.tcp.all {
		c.since.Store(time.Now().Add(-time.Minute).UnixNano())
	}
}

// TestTCPGreedyClientGivesWay: of connections that wait alike, that of the client with the most.
func TestTCPGreedyClientGivesWay(t *testing.T) {
	s := running(t, func(o *Options) { o.Config.TCPLimit = 6 })
	s.Publish(publication(t, plainZone))
	modest := dialFrom(t, s, "127.0.0.2")
	askOver(t, modest)
	for range 5 {
		askOver(t, dialFrom(t, s, "127.0.0.3"))
	}
	for i := range 3 {
		waitAlike(t, s)
		askOver(t, dialFrom(t, s, fmt.Sprintf("127.0.0.%d", 10+i)))
	}
	askOver(t, modest)
	if open, evicted := s.tcp.open(), s.shared.drops[dropEvicted].Load(); open != 6 || evicted != 3 {
		t.Errorf("%d open, %d gave way", open, evicted)
	}
}

// TestTCPOwnNewcomer: where a client has the most, its newcomer takes the place of one of its own.
func TestTCPOwnNewcomer(t *testing.T) {
	s := running(t, func(o *Options) { o.Config.TCPLimit = 3 })
	s.Publish(publication(t, plainZone))
	others := []net.Conn{dialFrom(t, s, "127.0.0.2"), dialFrom(t, s, "127.0.0.3")}
	own := dialFrom(t, s, "127.0.0.4")
	for _, conn := range append(others, own) {
		askOver(t, conn)
	}
	waitAlike(t, s)
	askOver(t, dialFrom(t, s, "127.0.0.4"))
	for _, conn := range others {
		askOver(t, conn)
	}
	if !closedByServer(own) {
		t.Error("nothing gave way")
	}
}

// TestTCPHoarderLocksNobodyOut: with all places taken by connections that say nothing, others come, are answered, and stay.
func TestTCPHoarderLocksNobodyOut(t *testing.T) {
	const places = 40
	s := running(t, func(o *Options) { o.Config.TCPLimit, o.Config.TCPPerClient = places, places })
	s.Publish(publication(t, plainZone))
	for range places {
		dialFrom(t, s, "127.0.0.2")
	}
	var modest []net.Conn
	for i := range places / 2 {
		modest = append(modest, dialFrom(t, s, fmt.Sprintf("127.0.1.%d", 1+i)))
		askOver(t, modest[i])
		dialFrom(t, s, "127.0.0.2") // and the hoarder is back at once
	}
	for _, conn := range modest {
		askOver(t, conn)
	}
}

// TestTCPStalled: half a query, and answers that nobody reads, are counted and leave nothing; a client that just has no more to ask is
// not counted.
func TestTCPStalled(t *testing.T) {
	s := running(t, func(o *Options) { o.Config.TCPIdle = 3 * time.Second })
	s.Publish(publication(t, plainZone))
	silent, half, deaf := dialTCP(t, s), dialTCP(t, s), dialTCP(t, s)
	askOver(t, silent)
	half.Write(framed(t, question("www.example.test. A"))[:20])
	many := bytes.Repeat(framed(t, question("www.example.test. A")), 1000)
	for {
		if _, err := deaf.Write(many); err != nil {
			break // the server has left
		}
	}
	if !closedByServer(silent) || !closedByServer(half) {
		t.Error("still open")
	}
	for s.tcp.open() > 0 { // the test's own time limit ends this
		runtime.Gosched()
	}
	if n := s.shared.drops[dropStalled].Load(); n != 2 {
		t.Errorf("%d counted, not 2", n)
	}
}

// flood is what pipelines very many queries in one write over several connections, and takes the answers.
type flood struct {
	all    sync.WaitGroup
	octets atomic.Int64 // of answers
	answer int          // octets of one
}

// pour begins, and returns when all connections have had answers.
func pour(t *testing.T, s *Server, connections, each int) *flood {
	query := framed(t, question("www.example.test. A"))
	first := dialFrom(t, s, "127.0.0.2")
	first.Write(query)
	f := &flood{answer: 2 + readRaw(first, make([]byte, 65535))}
	many := bytes.Repeat(query, each)
	begun := make(chan struct{}, connections)
	for range connections {
		conn := dialFrom(t, s, "127.0.0.2")
		f.all.Go(func() { conn.Write(many) })
		f.all.Go(func() { f.drain(t, conn, each*f.answer, begun) })
	}
	for range connections {
		<-begun
	}
	return f
}

func (f *flood) drain(t *testing.T, conn net.Conn, total int, begun chan<- struct{}) {
	buf := make([]byte, 256<<10)
	for had := 0; had < total; {
		n, err := conn.Read(buf)
		if err != nil {
			t.Error(err)
		}
		if had == 0 {
			begun <- struct{}{}
		}
		if err != nil {
			return
		}
		had += n
		f.octets.Add(int64(n))
	}
}

// TestTCPManyQueriesOfOne: while a client pipelines 100,000 queries over each of four connections, another's one is answered long
// before the last of these.
func TestTCPManyQueriesOfOne(t *testing.T) {
	const connections, each = 4, 100_000
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	other := dialFrom(t, s, "127.0.0.3")
	f := pour(t, s, connections, each)
	before := f.octets.Load()
	askOver(t, other)
	meanwhile := int(f.octets.Load()-before) / f.answer
	f.all.Wait()
	if meanwhile > connections*each/2 {
		t.Errorf("answered after %d others", meanwhile)
	}
}

// TestTCPTakesTurns: a connection that always has more queries leaves the processor to whatever else could run each time that it has
// answered what fits its memory, and not when the scheduler takes it away, thousands later.
func TestTCPTakesTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const each = 100_000
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	f := pour(t, s, 1, each)
	answered := &s.shared.zone(s.ids.id("example.test.")).success[typeCell[dns.TypeA]]
	most, before := uint64(0), answered.Load()
	for before < each {
		runtime.Gosched()
		now := answered.Load()
		most, before = max(most, now-before), now
	}
	f.all.Wait()
	if atOnce := uint64(ownBuffer / len(framed(t, question("www.example.test. A")))); most > 4*atOnce {
		t.Errorf("%d answers in a turn: %d queries fit the memory", most, atOnce)
	}
}

// readRaw reads one message into buf without allocating, and says how long it is; 0 when there is none.
func readRaw(conn net.Conn, buf []byte) int {
	if _, err := io.ReadFull(conn, buf[:2]); err != nil {
		return 0
	}
	size := int(binary.BigEndian.Uint16(buf))
	if _, err := io.ReadFull(conn, buf[:size]); err != nil {
		return 0
	}
	return size
}
