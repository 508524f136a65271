package failover

import (
	"fmt"
	"time"
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
	Force      bool      `json:"force,omitempty"`
}

// inForce says whether the override counts at now.
func (o *Override) inForce(now time.Time) bool { return o.Until.IsZero() || now.Before(o.Until) }

// String is the override in words: "failover to redundant by alice until 04:00:00 (db upgrade)".
func (o *Override) String() string {
	s := string(o.Kind)
	if o.Kind == ToDrain {
		s += " of " + o.Deployment
	} else {
		s += " to " + o.Deployment
	}
	if o.Force {
		s = "forced " + s
	}
	s += " by " + o.Who
	if !o.Until.IsZero() {
		s += " until " + o.Until.Format(time.DateTime)
	}
	if o.Why != "" {
		s += fmt.Sprintf(" (%s)", o.Why)
	}
	return s
}

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
