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
	// Success is first: zoneCounts has room for it from the start.
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

// stats are one worker's counters, or those that all TCP connections share: a scrape sums them up.
type stats struct {
	transport string                     // of the queries that are counted: "udp" or "tcp"
	zones     atomic.Pointer[[]zoneSlot] // by the zone's id; 0 is no zone
	latency   [len(latencyBounds) + 1]atomic.Uint64
	nanos     atomic.Uint64 // sum of the latencies observed
	truncated atomic.Uint64
	drops     [dropReasons]atomic.Uint64
	grow      sync.Mutex // over all that writes zones or in them, for workers may share their stats
}

// zoneSlot is where the counters of one zone are; nil before it is first asked.
type zoneSlot struct{ atomic.Pointer[zoneCounts] }

// zoneCounts count the queries in one zone by response code and type. There are as many as zones times workers, so that codes other than
// success have a row only once it is needed.
type zoneCounts struct {
	success row
	others  [len(countedRcodes)]atomic.Pointer[row] // by their cell, from 1
}

// row counts queries by type.
type row [len(countedTypes) + 1]atomic.Uint64

// row is that of a response code's cell; nil: nothing was counted.
func (z *zoneCounts) row(cell uint8) *row {
	if cell == 0 {
		return &z.success
	}
	return z.others[cell-1].Load()
}

// count adds one answered query.
func (s *stats) count(o *outcome) {
	id := 0
	if o.zone != nil {
		id = o.zone.id
	}
	cell := rcodeCell[o.rcode&31]
	var counts *row
	if zone := s.zone(id); zone != nil {
		counts = zone.row(cell)
	}
	if counts == nil {
		counts = s.makeRow(id, cell)
	}
	counts[typeCell[min(int(o.qtype), len(typeCell)-1)]].Add(1)
	if o.truncated {
		s.truncated.Add(1)
	}
}

// makeRow is met once per worker, zone and response code. The table doubles, so that asking ten thousand zones copies no more than a
// few times what it holds in the end.
func (s *stats) makeRow(id int, cell uint8) *row {
	s.grow.Lock()
	defer s.grow.Unlock()
	var all []zoneSlot
	if held := s.zones.Load(); held != nil {
		all = *held
	}
	if id >= len(all) {
		grown := make([]zoneSlot, max(2*len(all), id+1))
		for i := range all {
			grown[i].Store(all[i].Load())
		}
		all = grown
		s.zones.Store(&grown)
	}
	zone := all[id].Load()
	if zone == nil {
		zone = new(zoneCounts)
		all[id].Store(zone)
	}
	counts := zone.row(cell)
	if counts == nil {
		counts = new(row)
		zone.others[cell-1].Store(counts)
	}
	return counts
}

// zone are the counters of the zone with this id; nil: it has not been asked.
func (s *stats) zone(id int) *zoneCounts {
	if all := s.zones.Load(); all != nil && id < len(*all) {
		return (*all)[id].Load()
	}
	return nil
}

// forget drops the counters of the zones that kept does not name. A query that is being answered meanwhile may bring
// one back, until the next time.
func (s *stats) forget(kept map[int]bool) {
	s.grow.Lock()
	defer s.grow.Unlock()
	if all := s.zones.Load(); all != nil {
		for id := range *all {
			if id != 0 && !kept[id] {
				(*all)[id].Store(nil)
			}
		}
	}
}
