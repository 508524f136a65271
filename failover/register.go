package failover

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/livens/livens/zones"
)

// maxRegisters bounds the registers of orders that a nameserver holds: of more, the oldest are forgotten.
const maxRegisters = 10_000

// farAhead bounds how far ahead of the time the clocks and epochs of others may be. The bound moves on with the time, so that
// the next clock or epoch after the highest that is taken is soon taken everywhere, too. A host whose clock begins in 1970
// is within it.
const farAhead = 100 * 365 * 24 * time.Hour

// register is what there is one Override of.
type register struct {
	pool, deployment string // a pool prefers one deployment at a time, so that failover has no deployment here
	kind             Kind
}

func (o *Override) register() register {
	r := register{o.Pool, o.Deployment, o.Kind}
	if o.Kind == ToFailover {
		r.deployment = ""
	}
	return r
}

// compare orders the versions of a register: the greater counts. It is zero only for equal ones.
func (o *Override) compare(p *Override) int {
	return cmp.Or(
		cmp.Compare(o.Clock, p.Clock), strings.Compare(o.Node, p.Node), cmp.Compare(bit(o.Cleared), bit(p.Cleared)),
		strings.Compare(o.Deployment, p.Deployment), cmp.Compare(bit(o.Force), bit(p.Force)),
		strings.Compare(o.Who, p.Who), strings.Compare(o.Why, p.Why),
		o.At.Compare(p.At), o.From.Compare(p.From), o.Until.Compare(p.Until), slices.Compare(o.Seen, p.Seen),
	)
}

// MergeOverrides is what two nameservers know of orders together: of every register the version with the later Clock,
// then the greater Node, then by content. It is commutative, associative and idempotent; the result is sorted by what
// the orders are about, has at most 10,000 registers (the latest), and shares nothing with a and b but slices in them.
func MergeOverrides(a, b []Override) []Override {
	latest := make(map[register]Override, len(a))
	for _, list := range [][]Override{a, b} {
		for _, o := range list {
			key := o.register()
			if held, ok := latest[key]; !ok || o.compare(&held) > 0 {
				latest[key] = o
			}
		}
	}
	out := make([]Override, 0, len(latest))
	for _, o := range latest {
		out = append(out, o)
	}
	if len(out) > maxRegisters {
		slices.SortFunc(out, func(x, y Override) int { return cmp.Or(y.compare(&x), x.about(&y)) })
		out = out[:maxRegisters]
	}
	slices.SortFunc(out, func(x, y Override) int { return x.about(&y) })
	return out
}

// about orders registers by what they are about.
func (o *Override) about(p *Override) int {
	a, b := o.register(), p.register()
	return cmp.Or(strings.Compare(a.pool, b.pool), cmp.Compare(a.kind, b.kind), strings.Compare(a.deployment, b.deployment))
}

// ofPool are the registers of one pool, of those that MergeOverrides gave.
func ofPool(overrides []Override, p *zones.Pool) []Override {
	from, _ := slices.BinarySearchFunc(overrides, p.Name, func(o Override, name string) int { return cmp.Compare(o.Pool, name) })
	to := from
	for to < len(overrides) && overrides[to].Pool == p.Name {
		to++
	}
	return overrides[from:to]
}

// maxText bounds who and why, in bytes: they stand in reasons, logs and on pages.
const maxText = 200

// printable says that a text is plain and on one line.
func printable(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// soundOnly are those of orders that keep the bounds.
func soundOnly(orders []Override, now time.Time) []Override {
	return slices.DeleteFunc(slices.Clone(orders), func(o Override) bool { return !o.sound(now) })
}

// sound says that another nameserver's order keeps the bounds that this one's do.
func (o *Override) sound(now time.Time) bool {
	texts := []string{o.Pool, o.Deployment, o.Who, o.Why, o.Node}
	known := o.Kind == ToFailover || o.Kind == ToFailback || o.Kind == ToDrain
	return known && o.Clock <= uint64(max(0, now.Add(farAhead).UnixMilli())) && !slices.ContainsFunc(append(texts, o.Seen...), func(s string) bool { return !printable(s) })
}
