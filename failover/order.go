package failover

import (
	"errors"
	"fmt"
	"strings"
	"time"

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
	At         time.Time     `json:"at,omitzero"`   // when a planned failover or drain begins, by the cluster's time; zero: at once
	For        time.Duration `json:"for,omitempty"` // from At on; 0: until cleared
	Force      bool          `json:"force,omitempty"`
}

// ErrRefused is wrapped by every refusal of an order: nothing was changed, and the text says what would help.
var ErrRefused = errors.New("refused")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// validate refuses what no operator means.
func (o Order) validate(now time.Time) error {
	switch {
	case o.Who == "":
		return refuse("an order needs an author")
	case len(o.Who) > maxText, len(o.Why) > maxText:
		return refuse("author and reason may be %d bytes long", maxText)
	case !printable(o.Who), !printable(o.Why):
		return refuse("author and reason must be plain text on one line")
	case o.For < 0:
		return refuse("for a time below zero")
	case o.Force && o.For <= 0:
		return refuse("--force needs --for: say for how long")
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
