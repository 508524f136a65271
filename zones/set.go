// Package zones reads livens.toml, zone TOML files and RFC 1035 zone files into an immutable, validated Set.
//
// It knows no network and no clock: the same files give the same Set. Everything that can be wrong with what an
// operator wrote is found here and reported with file, line, key and hint (see Problem); the rooms behind this one
// may rely on every bound documented on these types.
package zones

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Set is everything that one load of the zones folder yielded. It is immutable: a reload makes a new Set, in which
// zones whose files did not change are the same *Zone.
type Set struct {
	Zones []*Zone // sorted by Name
	Pools []*Pool // of all zones, sorted by Name; a pool follows later in no circle
}

// Zone is one zone: its static records, and the pools that answer in it.
type Zone struct {
	Name    string   // canonical: lower case, fully qualified ("chat.example.com.")
	File    string   // the TOML file's name inside the zones folder
	Records []Packed // valid, deduplicated, in canonical order; SOA first and once; owner names keep their case
	Pools   []*Pool  // in file order
	Hash    [32]byte // SHA-256 over all that can change an answer; equal on nameservers with equal data
	// FixedSerial says that the SOA came from a zone file or carries an explicit serial. Otherwise the SOA's serial is
	// 0 here, and the running server supplies max(previous + 1, Unix seconds).
	FixedSerial bool
	// Stale is empty, or says why this is the last good version rather than what the file holds now.
	Stale string
}

// Policy says how a pool chooses among live deployments.
type Policy string

// The policies.
const (
	Failover Policy = "failover" // the first live deployment in order
	AllLive  Policy = "all-live" // every live deployment
)

// Failback says when traffic returns from a live deployment to a better one that came back.
type Failback string

// The failback rules.
const (
	Auto   Failback = "auto"   // once it is up by rise, 10 s after the last switch at the earliest
	Delay  Failback = "delay"  // once it has been up for FailbackDelay
	Manual Failback = "manual" // only on an operator's order
	Gated  Failback = "gated"  // as Delay, and its sync check must have passed throughout the delay
)

// AllDown says what a pool answers while no deployment is live.
type AllDown string

// The answers while all are down.
const (
	LastGood AllDown = "last-good" // the deployment that was live last; without history the first in order
	Primary  AllDown = "primary"   // the first in order
	All      AllDown = "all"       // every deployment
)

// Pool is an ordered list of deployments with one policy; A and AAAA of its answer names come from it.
type Pool struct {
	Name          string   // unique across zones
	Zone          string   // canonical name of its zone
	Answers       []string // canonical owner names; at least one; "*.…" is a wildcard
	Policy        Policy
	TTL           uint32 // seconds, 1–86400; also the negative TTL at an answer name
	TTLMin        uint32 // seconds, 1–TTL: used while a target is failing and before a planned switch
	Failback      Failback
	FailbackDelay time.Duration // 0–24 h
	AllDown       AllDown
	MaxFailbacks  int           // moves away from a live deployment in an hour, at least 1
	Checks        []*Check      // all must pass; empty if and only if Follow is set
	Sync          *Check        // the failback gate; nil unless Failback is Gated
	Follow        string        // the name of the pool whose choice this pool repeats, or ""
	Deployments   []*Deployment // in order of preference, at least one, names unique
	Client        Client        `json:"-"` // changes no answer
	Hash          string        `json:"-"` // hex, over all the above: equal on nameservers that define the pool alike
}

// Deployment is one complete copy of the service in one data center.
type Deployment struct {
	Name      string
	Site      string       // the data center, or ""
	Addresses []netip.Addr // what is answered; at least one, unmapped, no zone, no duplicates
	Probe     []netip.Addr // where the checks go instead, index by index; empty: Addresses
	Cold      bool         `json:",omitempty"` // it is started when it is needed: that it is down alarms nobody
	Start     []string     `json:",omitempty"` // the command that starts it, as Check.Command; only if Cold; may be empty
	URLs      []string     `json:"-"`          // WebSocket URLs that lead to it alone; empty: from Addresses; changes no answer
}

// ProbeAddress is the address that checks of the i-th address go to.
func (d *Deployment) ProbeAddress(i int) netip.Addr {
	if len(d.Probe) > 0 {
		return d.Probe[i]
	}
	return d.Addresses[i]
}

// StartCommand is Start with {pool}, {deployment} and {address}, the first of Addresses, filled in.
func (d *Deployment) StartCommand(pool string) []string {
	fill := strings.NewReplacer("{pool}", pool, "{deployment}", d.Name, "{address}", d.Addresses[0].String())
	command := slices.Clone(d.Start)
	for i, word := range command {
		command[i] = fill.Replace(word)
	}
	return command
}

// Deployment returns the pool's deployment with that name, or nil.
func (p *Pool) Deployment(name string) *Deployment {
	for _, d := range p.Deployments {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Pool returns the pool with that name, or nil.
func (s *Set) Pool(name string) *Pool {
	for _, p := range s.Pools {
		if p.Name == name {
			return p
		}
	}
	return nil
}
