// Package failover decides which deployment answers for each pool.
//
// Decide is a pure function. An Engine keeps what it needs from one decision to the next: it is given the time and does
// no I/O. The Controller around it is one goroutine, the only writer of decisions, and the only reader of the clock. What
// was decided it hands on as a Publication.
package failover

import (
	"net/netip"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// Decision is, for one pool, which deployment answers, since when, and why. It is immutable, and it carries all that
// the next decision must remember.
type Decision struct {
	Pool      string       `json:"pool"`
	Active    []string     `json:"active"`            // names of the deployments that answer; one unless all-live or all_down = all
	Addresses []netip.Addr `json:"addresses"`         // what A and AAAA answer, in order; at least one
	TTL       uint32       `json:"ttl"`               // seconds: the pool's ttl, or ttl_min while trouble or a switch is near
	Lowered   bool         `json:"lowered,omitempty"` // TTL is ttl_min now
	Epoch     uint64       `json:"epoch"`             // grows with every change of Active or Addresses
	Since     time.Time    `json:"since"`             // when Active last changed
	Reason    string       `json:"reason"`            // why Active is what it is, in words
	Pending   string       `json:"pending,omitempty"` // what is expected to change it, and when or after what
	AllDown   bool         `json:"all_down"`          // no deployment is live: the pool's all_down rule answers
	// Revived says that what answers is not up by rise yet: nothing else was live, so one success was enough, and until
	// its next failure it counts as live.
	Revived bool `json:"revived,omitempty"`
	// LastGood are the deployments that answered when one that answers was live for the last time; empty: none ever was.
	LastGood []string `json:"last_good,omitempty"`
	// Deployments is the state of each deployment in the pool's order, as this decision saw it.
	Deployments []DeploymentState `json:"deployments"`
	// Steps tells how the decision came about, rule by rule, for explain.
	Steps []string `json:"steps"`
	// Definition is Pool.Hash when this was decided: only decisions of equal definitions can be compared.
	Definition string `json:"definition,omitempty"`
	// Provisional says that no quorum of the observers stands behind the choice now: too few are reached, or vote on what
	// answers, or have for less than 300 ms. Somebody else's choice may count more.
	Provisional bool `json:"provisional,omitempty"`
	// Guess says that the choice was made without history and without a verdict: any other is better.
	Guess bool `json:"guess,omitempty"`
	// Obeyed is the ID of the failover order that was last carried out: while it is in force, the failback rule applies to
	// its deployment as to any other.
	Obeyed string `json:"obeyed,omitempty"`
	// Waits is why a planned switch that is due has not come; "": none waits.
	Waits string `json:"waits,omitempty"`
	// Failbacks are the times of the last hour's moves away from a live deployment, oldest first.
	Failbacks []time.Time `json:"failbacks,omitempty"`
	// Proven are the configured addresses of the active deployments that may answer: what was configured when the
	// deployment became active, and what has been up since.
	Proven []netip.Addr `json:"proven,omitempty"`
	// Due is when a switch is expected as things stand; zero: none is.
	Due time.Time `json:"due,omitzero"`
	// Recheck is when time alone may change the decision; zero: never.
	Recheck time.Time `json:"recheck,omitzero"`
}

// DeploymentState is what a decision held of one deployment.
type DeploymentState struct {
	Name      string         `json:"name"`
	Site      string         `json:"site,omitempty"`
	Cold      bool           `json:"cold,omitempty"`    // it is started when it is needed: that it is down is no trouble
	State     checker.State  `json:"state"`             // agreed: while verdicts are unknown, the last one that was not
	Since     time.Time      `json:"since,omitzero"`    // of State
	Known     time.Time      `json:"known,omitzero"`    // since when State and Gate rest on verdicts without a gap; zero: on memory
	Reason    string         `json:"reason,omitempty"`  // of State, from the address that decides it
	Doubt     bool           `json:"doubt,omitempty"`   // up, and its latest probes fail or are late
	Drained   string         `json:"drained,omitempty"` // "", or "by alice (disk swap)": who drains it, and why
	Gate      Gate           `json:"gate,omitempty"`
	GateSince time.Time      `json:"gate_since,omitzero"` // when Gate last changed
	GateWhy   string         `json:"gate_why,omitempty"`  // the sync check's last result
	Answers   bool           `json:"answers"`             // is in Active
	Address   []AddressState `json:"addresses"`
}

// AddressState is one address of a deployment.
type AddressState struct {
	Address netip.Addr    `json:"address"`
	State   checker.State `json:"state"`
	Reason  string        `json:"reason,omitempty"`
	Held    bool          `json:"held,omitempty"` // no longer configured, and answering until its successor is proven

	backed     bool      // enough observers vote on it
	unclear    bool      // probes finish, and this host cannot tell by them
	failing    bool      // probes fail, and the verdict is not made yet, or not trusted
	remembered bool      // State is what was agreed before, and no verdict of now
	tied       time.Time // since when as many observers say up as down; zero: they do not
}

// Publication is what changed for the query path since the publication before: all of it from one moment on. The first
// one of a Set has the decisions for exactly its pools, and all serials; later ones of the same Set have only what is
// another, so that a switch costs the same however much is held.
type Publication struct {
	Set *zones.Set
	// Decisions are by pool name. They are never modified.
	Decisions map[string]*Decision
	// Serials are SOA serials of zones without FixedSerial, by zone name.
	Serials map[string]uint32
}

// Gate is what a deployment's sync check says.
type Gate string

// The gate's positions.
const (
	NoGate Gate = ""     // the pool has no sync check
	Open   Gate = "open" // in sync: traffic may come back
	Shut   Gate = "shut" // not in sync, or not known to be
)

// Held is the decision as other nameservers are told of it: the choice and what it rests on, and nothing that follows
// from what this nameserver sees.
func (d *Decision) Held() *Decision {
	h := *d
	h.Deployments, h.Steps, h.Pending, h.Waits = nil, nil, "", ""
	h.Due, h.Recheck, h.TTL, h.Lowered = time.Time{}, time.Time{}, 0, false
	return &h
}

// clamp brings times that lie ahead of now, which a clock that was wrong has left in the state folder, back to it.
func (d *Decision) clamp(now time.Time) {
	back := func(t *time.Time) {
		if t.After(now) {
			*t = now
		}
	}
	back(&d.Since)
	for i := range d.Failbacks {
		back(&d.Failbacks[i])
	}
	for i := range d.Deployments {
		s := &d.Deployments[i]
		back(&s.Since)
		back(&s.Known)
		back(&s.GateSince)
	}
}
