package cluster

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func TestContactsFollowTheLibrary(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:7946")
	old, renamed := member{"ns1", at}, member{"ns2", at}
	start := time.Unix(1000, 0)
	cs := newContacts([]string{"192.0.2.1:7946", "later.test:7946"}, start)
	up := func(what string, i int, name string, since time.Time) {
		t.Helper()
		if l := cs.links()[i]; l.Up != (name != "") || l.Up && l.Name != name || l.Since != since {
			t.Errorf("%s: %+v, want %q since %v", what, l, name, since)
		}
	}
	cs.met(old, start.Add(1))
	up("met", 0, "ns1", start.Add(1))
	cs.met(renamed, start.Add(2))
	up("renamed", 0, "ns2", start.Add(1))
	cs.gone(old, start.Add(3))
	up("the old name died", 0, "ns2", start.Add(1))
	cs.met(old, start.Add(4))
	cs.gone(old, start.Add(5))
	up("named back, and renamed again", 0, "ns2", start.Add(5))
	cs.gone(renamed, start.Add(6))
	up("died", 0, "", start.Add(6))

	elsewhere := member{"ns3", netip.MustParseAddrPort("192.0.2.3:7946")}
	cs.met(elsewhere, start.Add(7))
	up("not resolved yet", 1, "", start)
	if _, sure := cs.belongs(elsewhere.addr); sure {
		t.Error("it may be the peer that has not resolved yet")
	}
	cs.resolved(cs.named("later.test:7946"), []netip.AddrPort{elsewhere.addr}, start.Add(8))
	up("resolved", 1, "ns3", start.Add(8))
	if yes, _ := cs.belongs(elsewhere.addr); !yes {
		t.Error("resolved, but a stranger")
	}
	if peer, known, taken := cs.sender("ns3", at, start.Add(9)); peer != "192.0.2.1:7946" || !known || !taken {
		t.Errorf("a message under the name of another: %q %v %v", peer, known, taken)
	}
	if len(cs.changed) != 1 {
		t.Error("no signal")
	}
}

// TestMessagesDoNotNeedTheLibrary has the library take a peer for dead that is not.
func TestMessagesDoNotNeedTheLibrary(t *testing.T) {
	addrs := freeAddrs(t, 2)
	a, b := startTransport(t, addrs, 0, nil), startTransport(t, addrs, 1, nil)
	meet(t, a, b)
	a.contacts.gone(member{"ns2", addrs[1]}, time.Now())
	b.contacts.gone(member{"ns1", addrs[0]}, time.Now())
	for _, reliable := range []bool{false, true} {
		exchange(t, a, b, reliable, "to the dead")
	}
}

// A peer is joined again as soon as it is silent, not when the library has noticed.
func TestSilentPeerIsLost(t *testing.T) {
	at := netip.MustParseAddrPort("192.0.2.1:7946")
	start := time.Unix(1000, 0)
	cs := newContacts([]string{"192.0.2.1:7946"}, start)
	c := cs.all[0]
	lost := func(want bool, now time.Time, what string) {
		t.Helper()
		if cs.lost(c, now) != want {
			t.Errorf("%s: lost %t", what, !want)
		}
	}
	lost(true, start, "never met")
	cs.met(member{"ns1", at}, start)
	lost(false, start.Add(silence), "met just now")
	lost(true, start.Add(silence+1), "met, and silent since")
	cs.sender("ns1", at, start.Add(time.Second))
	lost(false, start.Add(time.Second+silence), "heard")
	lost(true, start.Add(time.Second+silence+1), "silent, and a member by the library's word")
}

// A peer that takes connections and says nothing, as one that is stopped does, is tried again while earlier tries wait for it.
func TestTriesDoNotWaitForOneAnother(t *testing.T) {
	addrs := freeAddrs(t, 2)
	deaf, err := net.Listen("tcp", addrs[1].String())
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	startTransport(t, addrs, 0, nil)
	var open sync.Map
	for range 3 {
		conn, err := deaf.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		open.Range(func(_, closed any) bool {
			select {
			case <-closed.(chan struct{}):
				t.Error("the next try came only after one before had ended")
			default:
			}
			return true
		})
		closed := make(chan struct{})
		open.Store(conn, closed)
		go func() {
			_, _ = io.Copy(io.Discard, conn)
			close(closed)
		}()
	}
}
