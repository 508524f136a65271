package failover

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/livens/livens/checker"
)

// Reasons are read long after they were made, word for word in status, log and page: they tell in the past tense.

// whyBest says what best had to offer.
func (w *weighing) whyBest(best *candidate, lead string) string {
	switch w.rank(best) {
	case unproven, unprovenDrained:
		return fmt.Sprintf("%s: %s is first in order, no verdict yet", lead, best.Name)
	case recovering, recoveringDrained:
		return fmt.Sprintf("%s: %s answered its probes again and nothing else was live", lead, best.Name)
	case liveDrained:
		return fmt.Sprintf("%s: %s was up, though drained, and nothing else was live", lead, best.Name)
	}
	return fmt.Sprintf("%s: %s was up and first among the live", lead, best.Name)
}

// whyNoCurrent says why there is no one deployment to compare with.
func (w *weighing) whyNoCurrent() string {
	if w.Previous.AllDown {
		return "first to return"
	}
	return "so far " + strings.Join(w.Previous.Active, ", ") + " answered"
}

func (w *weighing) whyLeave(current, best *candidate, order *Override) string {
	switch {
	case w.ordered(order, best):
		return order.String()
	case w.contested(current):
		return fmt.Sprintf("as many observers called %s down as up since %s; %s", current.Name, utc(current.tied), w.whyBest(best, "failover"))
	case current.State == checker.Down && w.Previous.AllDown:
		return w.whyBest(best, "first to return")
	case current.State == checker.Down:
		return fmt.Sprintf("%s went down (%s); %s", current.Name, current.Reason, w.whyBest(best, "failover"))
	}
	return fmt.Sprintf("%s was drained %s; %s", current.Name, current.Drained, w.whyBest(best, "failover"))
}

// whyAddresses says what changed in the answer of deployments that go on answering.
func (w *weighing) whyAddresses(d *Decision) string {
	parts := []string{strings.Join(d.Active, ", ") + " goes on"}
	for _, a := range w.Previous.Addresses {
		if !slices.Contains(d.Addresses, a) {
			parts = append(parts, fmt.Sprintf("%s left out (%s)", a, w.reasonOf(a)))
		}
	}
	for _, a := range d.Addresses {
		if !slices.Contains(w.Previous.Addresses, a) {
			parts = append(parts, fmt.Sprintf("%s taken in (%s)", a, w.reasonOf(a)))
		}
	}
	return strings.Join(parts, "; ")
}

// reasonOf is what is known of an address.
func (w *weighing) reasonOf(a netip.Addr) string {
	for _, c := range w.candidates {
		if i := c.address(a); i >= 0 && !c.Address[i].Held {
			return c.Address[i].Reason
		}
	}
	return "no longer configured"
}
