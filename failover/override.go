package failover

import (
	"fmt"
	"slices"
	"time"

	"github.com/livens/livens/zones"
)

// Kind is what an override orders.
type Kind string

// The kinds of override.
const (
	ToFailover Kind = "failover" // prefer this deployment
	ToFailback Kind = "failback" // let traffic return once to the preferred deployment, without waiting for the failback rule
	ToDrain    Kind = "drain"    // let this deployment answer only when no other is live
)

// Override is an operator's order, as a register that all nameservers share: of two versions the one with the later Clock
// counts. It changes preference, not protection: a dead deployment does not answer because of one, unless it is forced.
type Override struct {
	Kind       Kind      `json:"kind"`
	Pool       string    `json:"pool"`
	Deployment string    `json:"deployment"`
	Who        string    `json:"who"`
	Why        string    `json:"why,omitempty"`
	At         time.Time `json:"at"`
	From       time.Time `json:"from,omitzero"`  // zero: at once
	Until      time.Time `json:"until,omitzero"` // zero: until it is cleared
	Force      bool      `json:"force,omitempty"`
	// Seen are the deployments that answered when a failback was ordered: it is carried out once others do.
	Seen []string `json:"answered,omitempty"`
	// Clock grows with every order that a nameserver knows of; it is near to Unix milliseconds.
	Clock   uint64 `json:"clock"`
	Node    string `json:"node,omitempty"`    // the nameserver that took the order
	Cleared bool   `json:"cleared,omitempty"` // it was ended, or carried out for good; kept, so that no older version returns
}

// ID tells this order from any other, on every nameserver.
func (o *Override) ID() string {
	return fmt.Sprintf("%s %s %s %d %s", o.Pool, o.Kind, o.Deployment, o.Clock, o.Node)
}

// pending says that the override counts at now or may count later.
func (o *Override) pending(now time.Time) bool {
	return !o.Cleared && (o.Until.IsZero() || now.Before(o.Until))
}

// inForce says whether the override counts at now.
func (o *Override) inForce(now time.Time) bool { return o.pending(now) && !now.Before(o.From) }

// spent says that an order to fail back has been carried out: of an all-live pool when its deployment answers, else with
// the next switch.
func (o *Override) spent(p *zones.Pool, d *Decision) bool {
	if p.Policy == zones.AllLive {
		return d != nil && slices.Contains(d.Active, o.Deployment)
	}
	return d == nil || !slices.Equal(d.Active, o.Seen)
}

// retire clears the orders to fail back that the pool's decision has carried out, so that they do not count again once
// the same deployments answer as before. Every nameserver comes to the same registers by itself. It says whether it
// changed any.
func retire(overrides []Override, p *zones.Pool, d *Decision) bool {
	changed := false
	for i := range overrides {
		if o := &overrides[i]; o.Pool == p.Name && o.Kind == ToFailback && !o.Cleared && o.spent(p, d) {
			o.Cleared, changed = true, true
		}
	}
	return changed
}

// String is the override in words: "failover to redundant by alice until 2026-03-01 04:00:00 UTC (db upgrade)".
func (o *Override) String() string {
	if o.Cleared {
		return o.what() + " cleared " + o.by()
	}
	return o.what() + " " + o.by()
}

// what is ordered: "failover to redundant".
func (o *Override) what() string {
	s := string(o.Kind) + " to "
	if o.Kind == ToDrain {
		s = "drain of "
	}
	if o.Force {
		s = "forced " + s
	}
	return s + o.Deployment
}

// by says who ordered, until when, and why.
func (o *Override) by() string {
	s := "by " + o.Who
	if !o.From.IsZero() {
		s += " from " + utc(o.From)
	}
	if !o.Until.IsZero() {
		s += " until " + utc(o.Until)
	}
	if o.Why != "" {
		s += fmt.Sprintf(" (%s)", o.Why)
	}
	return s
}

// utc is how times stand in reasons: the same words wherever they are read.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// find returns the override of that kind in force at now, for that deployment or ("") for any: the latest one.
func find(overrides []Override, kind Kind, deployment string, now time.Time) *Override {
	var found *Override
	for i := range overrides {
		o := &overrides[i]
		if o.Kind != kind || !o.inForce(now) || (deployment != "" && o.Deployment != deployment) {
			continue
		}
		if found == nil || o.compare(found) > 0 {
			found = o
		}
	}
	return found
}
