package dnsserver

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// The labels of the query counter are few and fixed: what is not named here is counted as "other".
var (
	countedTypes = [...]uint16{
		dns.TypeA, dns.TypeAAAA, dns.TypeANY, dns.TypeAXFR, dns.TypeCAA, dns.TypeCNAME, dns.TypeDNSKEY, dns.TypeDS,
		dns.TypeHTTPS, dns.TypeIXFR, dns.TypeMX, dns.TypeNAPTR, dns.TypeNS, dns.TypePTR, dns.TypeSOA, dns.TypeSRV,
		dns.TypeSVCB, dns.TypeTLSA, dns.TypeTXT,
	}
	countedRcodes = [...]int{
		dns.RcodeSuccess, dns.RcodeFormatError, dns.RcodeServerFailure, dns.RcodeNameError, dns.RcodeNotImplemented,
		dns.RcodeRefused, dns.RcodeYXDomain, dns.RcodeBadVers, dns.RcodeBadCookie,
	}
	// typeCell and rcodeCell map to positions in the lists above; what is in none, to the one behind the last.
	typeCell = func() (t [dns.TypeCAA + 2]uint8) {
		for i := range t {
			t[i] = uint8(len(countedTypes))
		}
		for i, qtype := range countedTypes {
			t[qtype] = uint8(i)
		}
		return t
	}()
	rcodeCell = func() (t [32]uint8) {
		for i := range t {
			t[i] = uint8(len(countedRcodes))
		}
		for i, rcode := range countedRcodes {
			t[rcode] = uint8(i)
		}
		return t
	}()
	// latencyBounds are the histogram's upper bounds.
	latencyBounds = [...]time.Duration{
		500 * time.Nanosecond, time.Microsecond, 2 * time.Microsecond, 5 * time.Microsecond, 10 * time.Microsecond,
		20 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond, time.Millisecond, 10 * time.Millisecond,
	}
)

// drop says why a datagram or a connection was not served.
type drop uint8

const (
	dropMalformed drop = iota // shorter than a header, or a response
	dropPanic                 // answering it went wrong: a bug
	dropSend                  // the response could not be sent
	dropReceive               // reading from a socket, or accepting a connection, failed
	dropOverflow              // the kernel had no room for a datagram (counted by the kernel)
	dropRefused               // a TCP connection over its client's limit
	dropEvicted               // an idle TCP connection closed for a new one
	dropStalled               // a TCP connection closed over half a query, or answers not taken, for too long
	dropReasons
)

var dropNames = [dropReasons]string{"malformed", "panic", "send", "receive", "udp_overflow", "tcp_refused", "tcp_evicted", "tcp_stalled"}

// stats are one worker's counters: it alone adds to them, and a scrape sums them over all workers.
type stats struct {
	cells     atomic.Pointer[[]zoneCell] // by the zone's id; 0 is no zone
	latency   [len(latencyBounds) + 1]atomic.Uint64
	nanos     atomic.Uint64 // sum of the latencies observed
	truncated [2]atomic.Uint64
	drops     [dropReasons]atomic.Uint64
	grow      sync.Mutex // over all that writes cells or in them, for workers may share their stats
}

// zoneCell is where the counters of one zone are; nil before it is first asked.
type zoneCell struct{ atomic.Pointer[zoneCells] }

// zoneCells count the queries in one zone by transport, response code and type.
type zoneCells [2][len(countedRcodes) + 1][len(countedTypes) + 1]atomic.Uint64

// count adds one answered query.
func (s *stats) count(o *outcome, tcp int) {
	id := 0
	if o.zone != nil {
		id = o.zone.id
	}
	cells := s.cellsOf(id)
	if cells == nil {
		cells = s.makeCells(id)
	}
	cells[tcp][rcodeCell[o.rcode&31]][typeCell[min(int(o.qtype), len(typeCell)-1)]].Add(1)
	if o.truncated {
		s.truncated[tcp].Add(1)
	}
}

// makeCells is met once per worker and zone. The table doubles, so that asking ten thousand zones copies no more than a
// few times what it holds in the end.
func (s *stats) makeCells(id int) *zoneCells {
	s.grow.Lock()
	defer s.grow.Unlock()
	var all []zoneCell
	if held := s.cells.Load(); held != nil {
		all = *held
	}
	if id >= len(all) {
		grown := make([]zoneCell, max(2*len(all), id+1))
		for i := range all {
			grown[i].Store(all[i].Load())
		}
		all = grown
		s.cells.Store(&grown)
	}
	cells := all[id].Load()
	if cells == nil {
		cells = new(zoneCells)
		all[id].Store(cells)
	}
	return cells
}

// cellsOf are the counters of the zone with this id; nil: it has not been asked.
func (s *stats) cellsOf(id int) *zoneCells {
	if all := s.cells.Load(); all != nil && id < len(*all) {
		return (*all)[id].Load()
	}
	return nil
}

// forget drops the counters of the zones that kept does not name. A query that is being answered meanwhile may bring
// one back, until the next time.
func (s *stats) forget(kept map[int]bool) {
	s.grow.Lock()
	defer s.grow.Unlock()
	if all := s.cells.Load(); all != nil {
		for id := range *all {
			if id != 0 && !kept[id] {
				(*all)[id].Store(nil)
			}
		}
	}
}
