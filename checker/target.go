package checker

import (
	"net/netip"

	"github.com/livens/livens/zones"
)

// Target is one address under one check, placeholders filled in: the unit of probing and of verdicts.
type Target struct {
	Key     string       // hash of address and check: equal probes have equal keys, on every nameserver
	Address netip.Addr   // where probes go; for exec, file and static only what the placeholders said
	Check   *zones.Check // immutable
}

// NewTarget is the target of check for one address of a deployment of a pool. probe is where packets go
// (zones.Deployment.ProbeAddress).
func NewTarget(pool, deployment string, probe netip.Addr, check *zones.Check) Target {
	panic("not built yet")
}
