package cluster

import "time"

// FaultCode names what is wrong with messages or peers.
type FaultCode string

// The faults that the conversation shows. What the transport sees is added to them.
const (
	FaultFormat  FaultCode = "cluster-version"      // a message format that this version does not understand
	FaultMessage FaultCode = "cluster-message"      // malformed, oversize or contradictory
	FaultReplay  FaultCode = "cluster-replay"       // recorded, and sent again
	FaultName    FaultCode = "cluster-name"         // two nameservers with one name
	FaultUnknown FaultCode = "cluster-unknown-peer" // it has the key and is not among the peers
)

// Fault is something wrong that was refused; nothing of it was applied.
type Fault struct {
	Code  FaultCode
	Where string // the peer
	Text  string
	First time.Time
	Last  time.Time
	Count int
}

type faultKey struct {
	code  FaultCode
	where string
}

// fault notes one.
func (c *Core) fault(code FaultCode, where, text string, now time.Time) {
	key := faultKey{code, where}
	f := c.faults[key]
	if f == nil {
		f = &Fault{Code: code, Where: where, First: now}
		c.faults[key] = f
	}
	f.Text, f.Last = text, now
	f.Count++
}
