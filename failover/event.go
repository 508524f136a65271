package failover

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"time"
)

// EventKind says what happened.
type EventKind string

// The kinds of event.
const (
	EventSwitch   EventKind = "switch"   // other deployments answer for a pool, or its all_down rule began or ended
	EventVerdict  EventKind = "verdict"  // the agreed state of a deployment changed
	EventOverride EventKind = "override" // an order was given, ended or ran out
	// EventDivergence: nameservers differ about a pool and agree again, or one is silent and reached again. What To says is
	// "apart", "agreed", "ns3 silent", "ns3 stopped" or "ns3 reached".
	EventDivergence EventKind = "divergence"
	EventStart      EventKind = "start" // a cold deployment is wanted: what answers is in doubt or down
)

// Event is one thing that happened, as it is kept, shown and told.
type Event struct {
	// ID is the same on every nameserver: of switches and orders at once, of others once they have talked.
	ID         string    `json:"id"`
	Kind       EventKind `json:"kind"`
	At         time.Time `json:"at"`
	Node       string    `json:"node"` // the nameserver that saw it first
	Pool       string    `json:"pool,omitempty"`
	Deployment string    `json:"deployment,omitempty"`
	From       string    `json:"from,omitempty"` // what was: deployments that answered, or the state before
	To         string    `json:"to,omitempty"`   // what is
	// Epoch is that of the pool's decision: after a switch the new one. Of what concerns no pool it is the highest that the
	// nameserver held.
	Epoch  uint64 `json:"epoch,omitempty"`
	Reason string `json:"reason"`
	Quorum bool   `json:"quorum"` // a majority of the observers stands behind it
}

// LogTo logs what orders become and what nameservers notice of one another; what switches is logged with its addresses
// when it is published.
func (e *Event) LogTo(log *slog.Logger) {
	text := map[EventKind]string{EventOverride: "order", EventDivergence: "nameservers"}[e.Kind]
	if text == "" {
		return
	}
	log.LogAttrs(context.Background(), slog.LevelInfo, text, given(
		slog.String("pool", e.Pool), slog.String("deployment", e.Deployment), slog.String("from", e.From), slog.String("to", e.To),
		slog.String("reason", e.Reason),
	)...)
}

// given leaves out attributes that say nothing.
func given(attrs ...slog.Attr) []slog.Attr {
	return slices.DeleteFunc(attrs, func(a slog.Attr) bool { return reflect.ValueOf(a.Value.Any()).IsZero() })
}
