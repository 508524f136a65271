package zones

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// maxPeers bounds ClusterConfig.Peers.
const maxPeers = 31

// readCluster reads [cluster] of the nameserver called name; dir is livens.toml's folder.
func readCluster(s *section, name, dir string) *ClusterConfig {
	c := &ClusterConfig{
		Listen:       get[netip.AddrPort](s, "listen"),
		Advertise:    get[netip.AddrPort](s, "advertise"),
		Peers:        get[[]string](s, "peers"),
		KeyFile:      resolve(dir, get[string](s, "key_file")),
		MinorityHold: get[time.Duration](s, "minority_hold"),
		TieHold:      get[time.Duration](s, "tie_hold"),
	}
	readReachable(s, c)
	if checkPeers(s, c, name) {
		warnSize(s, c)
	}
	return c
}

// readReachable sees to it that the others can be told where this observer is.
func readReachable(s *section, c *ClusterConfig) {
	const hint = `for example advertise = "192.0.2.53:7946"`
	if s.sound("listen") && c.Listen.Port() == 0 {
		s.errorf("listen", "7946 is usual", "has port 0: the others must know it")
	}
	switch {
	case s.sound("advertise"):
		if c.Advertise.Port() == 0 || !oneHost(c.Advertise.Addr()) {
			s.errorf("advertise", hint, "the others cannot reach this nameserver at %s", c.Advertise)
		}
		return
	case s.has("advertise") || !s.sound("listen"):
	case !oneHost(c.Listen.Addr()):
		s.errorf("listen", "say where they reach it, "+hint, "the others cannot reach this nameserver at %s", c.Listen.Addr())
	}
	c.Advertise = c.Listen
}

// oneHost says whether an address means one host, and the same to everybody.
func oneHost(addr netip.Addr) bool {
	return addr.Zone() == "" && !addr.IsUnspecified() && !addr.IsMulticast() && addr != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// checkPeers reports peers that are given twice, and this observer among them. It says whether all is well.
func checkPeers(s *section, c *ClusterConfig, name string) bool {
	own := map[string]bool{c.Listen.String(): true, c.Advertise.String(): true}
	for _, addr := range []netip.AddrPort{c.Listen, c.Advertise} {
		own[hostPort(strings.ToLower(name), addr.Port())] = true
	}
	seen, others := map[string]bool{}, 0
	for i, peer := range c.Peers {
		switch {
		case own[peer]:
			s.elementf("peers", i, "name only the others; remove it", "%s is this nameserver itself", peer)
		case seen[peer]:
			s.elementf("peers", i, "", "%s is given twice", peer)
		default:
			others++
		}
		seen[peer] = true
	}
	return others == len(c.Peers)
}

// warnSize says what a cluster of this size cannot do.
func warnSize(s *section, c *ClusterConfig) {
	const witness = "add a witness: one more livens, with listen = [], at a third place"
	switch n := len(c.Peers) + 1; {
	case n == 2:
		s.warnf("peers", witness, "two observers: when they disagree, nobody decides")
	case n > 2 && n%2 == 0:
		s.warnf("peers", witness, "%d observers: a tie is possible, and no more of them may fail than of %d", n, n-1)
	}
}

// parsePeer reads "host:port" and returns it in one form: names in lower case without the final dot, addresses
// unmapped.
func parsePeer(value any) (string, string, error) {
	const hint = `a name or an address and a port, for example "ns2.example.com:7946" or "[2001:db8::53]:7946"`
	v, ok := value.(string)
	if !ok {
		return "", hint, fmt.Errorf("wants a string, got %s", typeName(value))
	}
	if addr, err := netip.ParseAddr(v); err == nil && addr.Is6() {
		return "", fmt.Sprintf(`for example "[%s]:7946"`, addr), fmt.Errorf("%q has no port", clip(v))
	}
	colon := strings.LastIndexByte(v, ':')
	if colon < 0 {
		return "", fmt.Sprintf(`for example "%s:7946"`, clip(v)), fmt.Errorf("%q has no port", clip(v))
	}
	port, err := strconv.ParseUint(v[colon+1:], 10, 16)
	if err != nil || port == 0 {
		return "", "a port is 1–65535; 7946 is usual", fmt.Errorf("%q has no port", clip(v))
	}
	host, err := peerHost(v[:colon])
	if err != nil {
		return "", hint, fmt.Errorf("%q %w", clip(v), err)
	}
	return hostPort(host, uint16(port)), "", nil
}

// peerHost is a peer's host in one form, without brackets.
func peerHost(written string) (string, error) {
	inner, bracketed := strings.CutPrefix(written, "[")
	if bracketed {
		inner, bracketed = strings.CutSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(inner)
	switch {
	case err == nil && addr.Is6() != bracketed:
		return "", errors.New("wants brackets around an IPv6 address, and only there")
	case err == nil && !oneHost(addr.Unmap()):
		return "", errors.New("is not the address of one host")
	case err == nil:
		return addr.Unmap().String(), nil
	case bracketed || written == "" || !isHost(written) || strings.ContainsAny(written, "{[]}:"):
		return "", errors.New("names no host")
	}
	return strings.TrimSuffix(strings.ToLower(written), "."), nil
}

// hostPort joins a host and a port; IPv6 addresses are put in brackets.
func hostPort(host string, port uint16) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(port))
}
