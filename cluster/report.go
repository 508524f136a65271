package cluster

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
)

// Report is all that one nameserver tells the others. Only its owner writes it; every change raises Version, and a
// restart begins anew with another Boot. It is immutable.
type Report struct {
	Name     string   `json:"name"`
	Boot     uint64   `json:"boot"`              // a random number per process
	Version  uint64   `json:"version"`           // grows with every change within a Boot
	Address  string   `json:"address,omitempty"` // where its cluster port is, as it advertises it
	Site     string   `json:"site,omitempty"`
	Livens   string   `json:"livens"`            // the owner's version of livens
	Size     int      `json:"size"`              // how many observers its configuration names, itself among them
	Witness  bool     `json:"witness,omitempty"` // it answers no queries
	Joined   bool     `json:"joined,omitempty"`  // it has heard the running decisions, or waited long enough
	DNS      []string `json:"dns,omitempty"`     // where it answers, as bound
	Doubt    string   `json:"doubt,omitempty"`   // why it does not trust its own verdicts
	Contents          // what a Delta changes entry by entry
}

// Contents are a Report's tables.
type Contents struct {
	Votes     map[string]Vote                `json:"votes,omitempty"`     // by target key; a target without a fresh result has none
	Held      map[string]*failover.Decision  `json:"held,omitempty"`      // by pool, stripped by Decision.Held
	Zones     map[string]failover.ZoneSerial `json:"zones,omitempty"`     // by zone
	Overrides map[string]failover.Override   `json:"overrides,omitempty"` // by register
	Events    map[string]events.Entry        `json:"events,omitempty"`    // by id: those that not every hook was told yet
}

// Vote is one observer's fresh verdict on one target. Unknown is no vote.
type Vote struct {
	State  checker.State `json:"s"`
	Bad    bool          `json:"b,omitempty"` // the latest result was a failure
	Doubt  bool          `json:"d,omitempty"`
	Drain  bool          `json:"r,omitempty"`
	Reason string        `json:"w,omitempty"` // for not being up; at most maxReason bytes
}

// maxReason bounds what a vote says, in bytes.
const maxReason = 120

// Delta turns one version of a report into a later one.
type Delta struct {
	Name    string              `json:"name"`
	Boot    uint64              `json:"boot"`
	Base    uint64              `json:"base"` // the version that it changes
	Head    *Report             `json:"head"` // the report without its tables
	Set     Contents            `json:"set"`
	Removed map[string][]string `json:"removed,omitempty"` // by table: keys that are gone
}

// diff is what turns before into after, which has a later version of the same boot.
func diff(before, after *Report) *Delta {
	head := *after
	head.Contents = Contents{}
	d := &Delta{Name: after.Name, Boot: after.Boot, Base: before.Version, Head: &head, Removed: map[string][]string{}}
	d.Set.Votes = changed(d, "votes", before.Votes, after.Votes)
	d.Set.Held = changed(d, "held", before.Held, after.Held)
	d.Set.Zones = changed(d, "zones", before.Zones, after.Zones)
	d.Set.Overrides = changed(d, "overrides", before.Overrides, after.Overrides)
	d.Set.Events = changed(d, "events", before.Events, after.Events)
	return d
}

// changed are the entries of a table that are new or different; those that are gone are noted in d. Most tables are the very
// same as before, and are not looked through.
func changed[V any](d *Delta, table string, before, after map[string]V) map[string]V {
	if same(before, after) {
		return nil
	}
	var set map[string]V
	for key, v := range after {
		if old, ok := before[key]; ok && reflect.DeepEqual(old, v) {
			continue
		}
		if set == nil {
			set = map[string]V{}
		}
		set[key] = v
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			d.Removed[table] = append(d.Removed[table], key)
		}
	}
	return set
}

// same says that two tables are the very same one.
func same[V any](a, b map[string]V) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// apply is the report after d. The caller has seen to it that d fits: same boot, and Base is the report's version.
func (r *Report) apply(d *Delta) *Report {
	next := *d.Head
	next.Votes = patched(r.Votes, d.Set.Votes, d.Removed["votes"])
	next.Held = patched(r.Held, d.Set.Held, d.Removed["held"])
	next.Zones = patched(r.Zones, d.Set.Zones, d.Removed["zones"])
	next.Overrides = patched(r.Overrides, d.Set.Overrides, d.Removed["overrides"])
	next.Events = patched(r.Events, d.Set.Events, d.Removed["events"])
	return &next
}

// patched is a table with changes made; the table itself stays, for others read it.
func patched[V any](table, set map[string]V, removed []string) map[string]V {
	if len(set) == 0 && len(removed) == 0 {
		return table
	}
	next := maps.Clone(table)
	if next == nil {
		next = map[string]V{}
	}
	maps.Copy(next, set)
	for _, key := range removed {
		delete(next, key)
	}
	return next
}

// empty says that d, of the report before, changes nothing but the version.
func (d *Delta) empty(before *Report) bool {
	s := &d.Set
	if len(d.Removed)+len(s.Votes)+len(s.Held)+len(s.Zones)+len(s.Overrides)+len(s.Events) > 0 {
		return false
	}
	head := *before
	head.Contents, head.Version = Contents{}, d.Head.Version
	return reflect.DeepEqual(&head, d.Head)
}

// vote is what a verdict is worth to others at now: nothing while it is unknown, or older than fresh.
func vote(v checker.Verdict, fresh time.Duration, now time.Time) (Vote, bool) {
	if v.State == checker.Unknown || v.At.IsZero() || now.Sub(v.At) > fresh {
		return Vote{}, false
	}
	out := Vote{State: v.State, Bad: v.Streak < 0, Doubt: v.Doubt, Drain: v.Drain}
	if v.State != checker.Up || out.Bad || v.Doubt || v.Drain {
		out.Reason = clip(v.Reason)
		if v.State == checker.Down && v.Streak > 0 {
			out.Reason = clip("answers again, not for long enough yet: " + v.Reason)
		}
	}
	return out, true
}

// clip shortens a reason to maxReason bytes, at the border of a character.
func clip(s string) string {
	if len(s) <= maxReason {
		return s
	}
	s = s[:maxReason-len("…")]
	for len(s) > 0 && s[len(s)-1]&0xc0 == 0x80 {
		s = s[:len(s)-1]
	}
	if len(s) > 0 && s[len(s)-1] >= 0xc0 { // the first byte of a character whose rest was cut off
		s = s[:len(s)-1]
	}
	return s + "…"
}

// register is the key of an order in a report.
func register(o failover.Override) string {
	if o.Kind == failover.ToFailover {
		return o.Pool + " " + string(o.Kind)
	}
	return o.Pool + " " + string(o.Kind) + " " + o.Deployment
}

// names are the sorted keys of a table.
func names[V any](table map[string]V) []string { return slices.Sorted(maps.Keys(table)) }
