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

// Override is an operator's order in force. It changes preference, not protection: a dead deployment does not answer
// because of one, unless it is forced.
type Override struct {
	Kind       Kind      `json:"kind"`
	Pool       string    `json:"pool"`
	Deployment string    `json:"deployment"`
	Who        string    `json:"who"`
	Why        string    `json:"why,omitempty"`
	At         time.Time `json:"at"`
	Until      time.Time `json:"until,omitzero"` // zero: until it is cleared
	// Seen is the pool's Decision.Since when the order was given. While no switch has come after it, the order is still
	// to be carried out. It is compared for equality only, so that a clock that steps changes nothing.
	Seen  time.Time `json:"seen,omitzero"`
	Force bool      `json:"force,omitempty"`
}

// inForce says whether the override counts at now.
func (o *Override) inForce(now time.Time) bool { return o.Until.IsZero() || now.Before(o.Until) }

// fresh says that no switch has come since the order was given.
func (o *Override) fresh(previous *Decision) bool {
	return previous != nil && o.Seen.Equal(previous.Since)
}

// spent says that an order to fail back has been carried out: of an all-live pool when its deployment answers, else with
// the next switch.
func (o *Override) spent(p *zones.Pool, previous *Decision) bool {
	if p.Policy == zones.AllLive {
		return previous != nil && slices.Contains(previous.Active, o.Deployment)
	}
	return !o.fresh(previous)
}

// String is the override in words: "failover to redundant by alice until 2026-03-01 04:00:00 UTC (db upgrade)".
func (o *Override) String() string { return o.what() + " " + o.by() }

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
		if found == nil || o.At.After(found.At) {
			found = o
		}
	}
	return found
}
