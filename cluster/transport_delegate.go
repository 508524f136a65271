package cluster

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/hashicorp/memberlist"
)

// delegate is what the library asks and tells, often while it holds its own locks: nothing here may call it back.
type delegate struct{ *Transport }

func address(n *memberlist.Node) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(n.Addr)
	return netip.AddrPortFrom(ip.Unmap(), n.Port)
}

// NotifyAlive refuses nameservers that are not configured. They stay unknown to the library, which then neither probes
// them nor tells others of them.
func (d delegate) NotifyAlive(n *memberlist.Node) error {
	addr := address(n)
	if addr == d.advertise || n.Name == d.name {
		return nil // oneself, or a conflict
	}
	yes, sure := d.contacts.belongs(addr)
	if yes {
		return nil
	}
	err := fmt.Errorf("%q advertises %s, which is none of the configured peers", n.Name, addr)
	if sure {
		d.faults.add(UnknownMember, addr.String(), err.Error())
	}
	return err
}

// NotifyConflict is told when a name is claimed from another address than that of its living holder.
func (d delegate) NotifyConflict(holder, other *memberlist.Node) {
	d.duplicate(other.Name, address(holder), address(other))
}

func (d delegate) duplicate(name string, holder, other netip.AddrPort) {
	d.faults.add(DuplicateName, other.String(), fmt.Sprintf("two nameservers are named %q, at %s and %s: rename one", name, holder, other))
}

// NotifyMerge refuses to have anything to do with a cluster in which somebody else has this nameserver's name: were it
// merged, the two would take each other's leaving and dying for their own.
func (d delegate) NotifyMerge(nodes []*memberlist.Node) error {
	for _, n := range nodes {
		lives := n.State == memberlist.StateAlive || n.State == memberlist.StateSuspect
		if addr := address(n); lives && n.Name == d.name && addr != d.advertise {
			d.duplicate(n.Name, d.advertise, addr)
			return fmt.Errorf("the name %q is also that of %s: rename one", n.Name, addr)
		}
	}
	return nil
}

// NotifyJoin is told of oneself, too.
func (d delegate) NotifyJoin(n *memberlist.Node) {
	d.contacts.met(member{n.Name, address(n)}, time.Now())
}

// NotifyLeave is told when a nameserver left or died.
func (d delegate) NotifyLeave(n *memberlist.Node) {
	d.contacts.gone(member{n.Name, address(n)}, time.Now())
}

// NotifyUpdate would tell of new metadata; there is none.
func (d delegate) NotifyUpdate(*memberlist.Node) {}

// NodeMeta is empty: what nameservers know of one another goes by messages.
func (d delegate) NodeMeta(int) []byte { return nil }

// NotifyMsg takes a message that arrived; data is the library's.
func (d delegate) NotifyMsg(data []byte) { d.receive(data) }

// GetBroadcasts is empty: nothing of ours is gossiped.
func (d delegate) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState is empty, as is what others send of theirs.
func (d delegate) LocalState(bool) []byte { return nil }

// MergeRemoteState has nothing to merge.
func (d delegate) MergeRemoteState([]byte, bool) {}
