// Package web shows what livens knows and takes operators' orders.
//
// Everything shown comes from one document, Status: the API prints it, the page and the metrics are drawn from it, and
// the command line reads it back. The TCP listener only shows; orders go through the control socket in the state
// folder, which file permissions protect.
package web

import (
	"net/netip"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/cluster"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// Status is all that one nameserver knows at one moment: the document of GET /api/v1/status. Field names are stable;
// later versions may add fields. Times are RFC 3339, durations are seconds.
type Status struct {
	Name      string              `json:"name"`                 // this nameserver
	Site      string              `json:"site,omitempty"`       // the data center that it is in
	Witness   bool                `json:"witness,omitempty"`    // it answers no queries
	Version   string              `json:"version"`              // of livens
	Now       time.Time           `json:"now"`                  // when this was written
	Started   time.Time           `json:"started"`              // when the process was
	Ready     bool                `json:"ready"`                // what answers rest on was found out, not remembered
	Waiting   string              `json:"waiting,omitempty"`    // what readiness waits for
	SelfDoubt string              `json:"self_doubt,omitempty"` // why this observer does not trust its own verdicts
	Listen    Listen              `json:"listen"`
	Reload    Reload              `json:"reload"`
	Probing   Probing             `json:"probing"`
	Alerts    []failover.Alert    `json:"alerts"`              // worst first
	Cluster   *cluster.Status     `json:"cluster,omitempty"`   // the other nameservers; nil: there are none
	Moderator *ModeratorStatus    `json:"moderator,omitempty"` // the public listener; nil: there is none
	Pools     []Pool              `json:"pools"`
	Overrides []failover.Override `json:"overrides"` // those in force, and planned ones
	Zones     []Zone              `json:"zones"`
	Events    []events.Happened   `json:"events"` // the last 20, newest last
	Hooks     []events.HookStats  `json:"hooks"`
}

// Listen tells where this nameserver can be reached.
type Listen struct {
	DNS  []netip.AddrPort `json:"dns"`           // UDP and TCP, as bound
	HTTP string           `json:"http"`          // the private read-only listener, as bound; "off", or "" while it cannot listen
	Pid  int              `json:"pid,omitempty"` // the process
}

// Probing tells how busy the checker is.
type Probing struct {
	UnderWay int    `json:"under_way"` // probes now
	Waited   uint64 `json:"waited"`    // probes that started late because too many were under way, or were opening connections
	Late     uint64 `json:"late"`      // probes that started more than 100 ms after their time, for whatever reason
}

// Reload tells how the last reading of the configuration went. A reload with errors changes nothing but this: broken
// zones keep their last good version.
type Reload struct {
	OK          bool           `json:"ok"`
	At          time.Time      `json:"at"`                     // of the last attempt
	LastSuccess time.Time      `json:"last_success,omitzero"`  // zero: none since the start
	Cause       string         `json:"cause"`                  // "start", "SIGHUP", "file change" or "livens reload"
	Problems    zones.Problems `json:"problems"`               // warnings too
	NeedRestart []string       `json:"need_restart,omitempty"` // changed settings that only a restart applies
}

// Pool is a pool: its decision, and what was configured and observed.
type Pool struct {
	failover.Decision
	Zone     string   `json:"zone"`
	Answers  []string `json:"answers"` // owner names
	Policy   string   `json:"policy"`
	Failback string   `json:"failback"`
	Rule     string   `json:"all_down_rule"`
	Follow   string   `json:"follow,omitempty"`
	Targets  []Target `json:"targets"` // by deployment and address in the pool's order, then check
}

// Target is one address of a deployment under one check, and what this nameserver found there.
type Target struct {
	Deployment  string        `json:"deployment"`
	Address     netip.Addr    `json:"address"` // what is answered
	Probed      netip.Addr    `json:"probed"`  // where probes go
	Check       string        `json:"check"`   // "https", "tcp#2" for a second one of its kind, "sync" for the failback gate
	What        string        `json:"what"`    // the check in words: "https :443/healthz"
	State       checker.State `json:"state"`
	Reason      string        `json:"reason"`
	Since       time.Time     `json:"since,omitzero"` // of State
	At          time.Time     `json:"at,omitzero"`    // when the last probe finished
	Interval    float64       `json:"interval"`       // seconds between probes while nothing is in doubt
	Latency     float64       `json:"latency"`        // seconds, of the last successful probe
	Streak      int           `json:"streak"`         // +n successes, -n failures in a row
	Doubt       bool          `json:"doubt"`
	Drain       bool          `json:"drain"`
	Probes      uint64        `json:"probes"`      // sent since the target was added
	Failures    uint64        `json:"failures"`    // of these probes
	Transitions uint64        `json:"transitions"` // times that the verdict turned
	Votes       []Vote        `json:"votes,omitempty"`
}

// Vote is what one nameserver says of a target. Those that are not reached, or know nothing of it, have none.
type Vote struct {
	Nameserver string        `json:"nameserver"`
	State      checker.State `json:"state"`
	Doubt      bool          `json:"doubt,omitempty"`
	Drain      bool          `json:"drain,omitempty"`
	Reason     string        `json:"reason,omitempty"` // for not being up
}

// Zone is one zone as it is served.
type Zone struct {
	Name    string   `json:"name"`
	File    string   `json:"file"`
	Serial  uint32   `json:"serial"`
	Records int      `json:"records"`
	Pools   []string `json:"pools"`
	Hash    string   `json:"hash"`            // of its data, hex: equal on nameservers with equal data
	Stale   string   `json:"stale,omitempty"` // why this is the last good version and not what the file says now
}

// Receipt is what came of an order.
type Receipt struct {
	Before    []string           `json:"before"`              // the deployments that answered
	Pool      *Pool              `json:"pool"`                // the pool now
	Override  *failover.Override `json:"override,omitempty"`  // what stays in force because of the order
	Followers []string           `json:"followers,omitempty"` // the pools that follow this one
	Known     []string           `json:"known,omitempty"`     // the nameservers that have the order, this one among them; none: there are no others
	Untold    []string           `json:"untold,omitempty"`    // the configured ones that do not have it yet
}

// Forecast is what an order would bring, and who would know of it.
type Forecast struct {
	*failover.Forecast
	Followers []string `json:"followers,omitempty"` // the pools that follow
	Untold    []string `json:"untold,omitempty"`    // nameservers that could not be told now
}

// Events are what happened: the document of GET /api/v1/events.
type Events struct {
	Events []events.Happened `json:"events"` // newest last
}

// Pool returns the pool of that name, or nil.
func (s *Status) Pool(name string) *Pool {
	for i := range s.Pools {
		if s.Pools[i].Decision.Pool == name {
			return &s.Pools[i]
		}
	}
	return nil
}
