package xdp

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

const redirected = 4 // XDP_REDIRECT

// TestWhatIsTaken: the kernel runs the program on frames of which each differs in one thing from those that are taken.
func TestWhatIsTaken(t *testing.T) {
	run := loaded(t)
	for family, frame := range frames() {
		if got := run(frame); got != redirected {
			t.Fatalf("%s: %d, not taken", family, got)
		}
	}
	ip := etherSize
	for _, c := range []struct {
		what, family string
		at           int
		to           []byte
	}{
		{"another Ethernet address", "IPv4", 0, []byte{2, 0, 0, 0, 0, 9}},
		{"to all Ethernet addresses", "IPv4", 0, []byte{255, 255, 255, 255, 255, 255}},
		{"a VLAN tag", "IPv4", 12, []byte{0x81, 0}},
		{"ARP", "IPv4", 12, []byte{8, 6}},
		{"IPv4 options", "IPv4", ip, []byte{0x46}},
		{"more fragments", "IPv4", ip + 6, []byte{0x20, 0}},
		{"a later fragment", "IPv4", ip + 6, []byte{0, 1}},
		{"TCP", "IPv4", ip + 9, []byte{6}},
		{"another address", "IPv4", ip + 16, []byte{192, 0, 2, 54}},
		{"another port", "IPv4", ip + ip4Size + 2, []byte{0, 54}},
		{"IPv4 that says it is IPv6", "IPv4", 12, []byte{0x86, 0xdd}},
		{"another Ethernet address", "IPv6", 0, []byte{2, 0, 0, 0, 0, 9}},
		{"another version", "IPv6", ip, []byte{0x45}},
		{"an extension header", "IPv6", ip + 6, []byte{44}},
		{"another address", "IPv6", ip + 24, []byte{0xfe, 0x80}},
		{"the last octet of another address", "IPv6", ip + 39, []byte{54}},
		{"another port", "IPv6", ip + ip6Size + 2, []byte{1, 53}},
	} {
		frame := frames()[c.family]
		copy(frame[c.at:], c.to)
		if got := run(frame); got != xdpPass {
			t.Errorf("%s: %s: %d, not passed on", c.family, c.what, got)
		}
	}
	long := frames()["IPv4"]
	for size, want := range map[int]uint32{maxFrame: redirected, maxFrame + 1: xdpPass} {
		if got := run(append(long, make([]byte, size-len(long))...)); got != want {
			t.Errorf("%d octets: %d, want %d", size, got, want)
		}
	}
	fragmentable := frames()["IPv4"]
	fragmentable[ip+6] = 0x40 // don't fragment
	if got := run(fragmentable); got != redirected {
		t.Errorf("a datagram that must not be fragmented: %d, not taken", got)
	}
}

// loaded is the program, at no interface. It returns what to do with a frame.
func loaded(t *testing.T) func(frame []byte) uint32 {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	served, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Hash, KeySize: keySize, ValueSize: 1, MaxEntries: 8})
	must(err)
	defer served.Close()
	for _, to := range []string{"192.0.2.53:53", "[2001:db8::35]:53"} {
		must(served.Put(key(netip.MustParseAddrPort(to)), uint8(1)))
	}
	sockets, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.XSKMap, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	must(err)
	defer sockets.Close()
	fd, err := unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	must(err)
	t.Cleanup(func() { unix.Close(fd) })
	must(sockets.Put(uint32(0), uint32(fd)))
	program, err := newProgram(served, sockets, net.HardwareAddr{2, 0, 0, 0, 0, 1})
	must(err)
	t.Cleanup(func() { program.Close() })
	return func(frame []byte) uint32 {
		t.Helper()
		verdict, _, err := program.Test(slices.Clone(frame))
		must(err)
		return verdict
	}
}
