package failover

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// Verb is what an operator asks for.
type Verb string

// The verbs.
const (
	DoFailover Verb = "failover"
	DoFailback Verb = "failback"
	DoDrain    Verb = "drain"
	DoUndrain  Verb = "undrain"
)

// Order is one request of an operator. It becomes an override, or ends one, or is refused.
type Order struct {
	Verb       Verb          `json:"verb"`
	Pool       string        `json:"pool"`
	Deployment string        `json:"deployment,omitempty"` // failback needs none
	Who        string        `json:"who"`
	Why        string        `json:"why,omitempty"`
	For        time.Duration `json:"for,omitempty"` // 0: until cleared
	Force      bool          `json:"force,omitempty"`
}

// ErrRefused is wrapped by every refusal of an order: nothing was changed, and the text says what would help.
var ErrRefused = errors.New("refused")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// failbackOrderLife bounds how long an order to fail back waits for its deployment to be fit to answer.
const failbackOrderLife = time.Hour

// plan is the list of overrides after an order, or why it is refused. It is pure.
func (o Order) plan(set *zones.Set, decisions map[string]*Decision, overrides []Override, now time.Time) ([]Override, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	pool, err := o.pool(set)
	if err != nil {
		return nil, err
	}
	if kept := remove(overrides, pool.Name, ToDrain, o.Deployment); o.Verb == DoUndrain && len(kept) < len(overrides) {
		return kept, nil // also of a deployment that the pool no longer has
	}
	if err := o.deployment(pool); err != nil {
		return nil, err
	}
	if o.Force && o.For <= 0 {
		return nil, refuse("--force needs --for: say for how long")
	}
	next := slices.DeleteFunc(slices.Clone(overrides), func(x Override) bool { return !x.inForce(now) })
	decision := decisions[pool.Name]
	switch o.Verb {
	case DoFailover:
		return o.planFailover(pool, decision, next, now)
	case DoFailback:
		return o.planFailback(pool, decision, next, now)
	case DoDrain:
		return o.planDrain(pool, decision, next, now)
	case DoUndrain:
		return nil, o.notDrained(decision)
	}
	return nil, refuse("no such order: %q", o.Verb)
}

// maxText bounds who and why, in bytes: they stand in reasons, logs and on pages.
const maxText = 200

// validate refuses what no operator means.
func (o Order) validate() error {
	printable := func(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }
	switch {
	case o.Who == "":
		return refuse("an order needs an author")
	case len(o.Who) > maxText, len(o.Why) > maxText:
		return refuse("author and reason may be %d bytes long", maxText)
	case !printable(o.Who), !printable(o.Why):
		return refuse("author and reason must be plain text on one line")
	case o.For < 0:
		return refuse("for a time below zero")
	}
	return nil
}

func (o Order) pool(set *zones.Set) (*zones.Pool, error) {
	pool := set.Pool(o.Pool)
	if pool == nil {
		var names []string
		for _, p := range set.Pools {
			names = append(names, p.Name)
		}
		return nil, refuse("no pool %q; there are: %s", o.Pool, strings.Join(names, ", "))
	}
	if pool.Follow != "" {
		return nil, refuse("pool %s follows %s: give the order to %s", pool.Name, pool.Follow, pool.Follow)
	}
	return pool, nil
}

// deployment refuses an order to a deployment that the pool does not have.
func (o Order) deployment(pool *zones.Pool) error {
	if o.Verb == DoFailback || pool.Deployment(o.Deployment) != nil {
		return nil
	}
	var names []string
	for _, d := range pool.Deployments {
		names = append(names, d.Name)
	}
	return refuse("pool %s has no deployment %q; it has: %s", pool.Name, o.Deployment, strings.Join(names, ", "))
}

// override is the order as it stays in force.
func (o Order) override(kind Kind, deployment string, d *Decision, now time.Time) Override {
	x := Override{Kind: kind, Pool: o.Pool, Deployment: deployment, Who: o.Who, Why: o.Why, At: now, Seen: d.Since, Force: o.Force}
	if o.For > 0 {
		x.Until = now.Add(o.For)
	}
	return x
}

func (o Order) planFailover(pool *zones.Pool, d *Decision, next []Override, now time.Time) ([]Override, error) {
	if pool.Policy == zones.AllLive {
		return nil, refuse("pool %s answers with all live deployments: drain those that must not answer", pool.Name)
	}
	if why := unfit(d.state(o.Deployment)); why != "" && !o.Force {
		return nil, refuse("%s %s; --force --for 1h does it all the same", o.Deployment, why)
	}
	next = remove(next, pool.Name, ToFailover, "")
	next = remove(next, pool.Name, ToFailback, "")
	return append(next, o.override(ToFailover, o.Deployment, d, now)), nil
}

// unfit says why traffic should not be sent to a deployment, or "".
func unfit(s DeploymentState) string {
	switch {
	case s.State != checker.Up:
		return fmt.Sprintf("is %s (%s)", s.State, s.Reason)
	case s.Drained != "":
		return fmt.Sprintf("is draining, %s", s.Drained)
	case s.Gate == Shut:
		return fmt.Sprintf("is not in sync (%s)", s.GateWhy)
	}
	return ""
}

// planFailback ends a preference, and lets traffic return to the deployments that are preferred to what answers, or, of
// an all-live pool, to all. The order waits for one that is not fit yet.
func (o Order) planFailback(pool *zones.Pool, d *Decision, next []Override, now time.Time) ([]Override, error) {
	next = remove(next, pool.Name, ToFailover, "")
	next = remove(next, pool.Name, ToFailback, "")
	for _, s := range d.Deployments {
		switch {
		case s.Answers && pool.Policy == zones.Failover:
			return next, nil // nothing is preferred to it, or what is, is ordered
		case s.Answers, s.Drained != "":
			continue
		}
		x := o.override(ToFailback, s.Name, d, now)
		if x.Until.IsZero() {
			x.Until = now.Add(failbackOrderLife)
		}
		next = append(next, x)
	}
	return next, nil
}

func (o Order) planDrain(pool *zones.Pool, d *Decision, next []Override, now time.Time) ([]Override, error) {
	others := slices.ContainsFunc(d.Deployments, func(s DeploymentState) bool {
		return s.Name != o.Deployment && s.State == checker.Up && s.Drained == ""
	})
	if !others && !o.Force {
		return nil, refuse("%s is the last live deployment of pool %s; --force --for 1h drains it all the same", o.Deployment, pool.Name)
	}
	next = remove(next, pool.Name, ToDrain, o.Deployment)
	return append(next, o.override(ToDrain, o.Deployment, d, now)), nil
}

// notDrained refuses to end a drain that no operator ordered.
func (o Order) notDrained(d *Decision) error {
	if why := d.state(o.Deployment).Drained; why != "" {
		return refuse("no operator drains %s; it is drained %s", o.Deployment, why)
	}
	return refuse("%s of pool %s is not drained", o.Deployment, o.Pool)
}

// remove leaves out a pool's overrides of one kind, for one deployment or ("") for any.
func remove(overrides []Override, pool string, kind Kind, deployment string) []Override {
	return slices.DeleteFunc(slices.Clone(overrides), func(x Override) bool {
		return x.Pool == pool && x.Kind == kind && (deployment == "" || x.Deployment == deployment)
	})
}
