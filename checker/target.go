package checker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strings"

	"github.com/livens/livens/zones"
)

// Target is one address under one check, placeholders filled in: the unit of probing and of verdicts.
type Target struct {
	Key     string       // hash of address and check: equal probes have equal keys, on every nameserver
	Address netip.Addr   // where probes go; for exec, file and static only what the placeholders said
	Check   *zones.Check // immutable
	// Deployment is whose address this is. It is no part of Key; of targets with equal keys one stands for all.
	Deployment string

	dialer func(ctx context.Context, network, address string) (net.Conn, error) // Options.Dial
}

// NewTarget is the target of check for one address of a deployment of a pool. probe is where packets go
// (zones.Deployment.ProbeAddress).
//
// {pool}, {deployment} and {address} are filled in in Path, Host, the values of Headers, Send, File and Command. A
// check that sends nothing to the address (exec, file, static) has one key for all addresses, unless a placeholder
// makes it differ: it is then run once.
func NewTarget(pool, deployment string, probe netip.Addr, check *zones.Check) Target {
	fill := strings.NewReplacer("{pool}", pool, "{deployment}", deployment, "{address}", probe.String()).Replace
	c := *check
	for _, field := range []*string{&c.Path, &c.Host, &c.Send, &c.File} {
		*field = fill(*field)
	}
	if c.Headers != nil {
		c.Headers = make(map[string]string, len(check.Headers))
		for name, value := range check.Headers {
			c.Headers[name] = fill(value)
		}
	}
	c.Command = append([]string(nil), check.Command...)
	for i := range c.Command {
		c.Command[i] = fill(c.Command[i])
	}
	return Target{Key: key(probe, &c), Address: probe, Check: &c, Deployment: deployment}
}

// String is what logs call the target: "https 203.0.113.10:443", "icmp 2001:db8::1", "file /run/chat.state".
func (t Target) String() string {
	switch t.Check.Kind {
	case zones.Exec:
		return "exec " + strings.Join(t.Check.Command, " ")
	case zones.File:
		return "file " + t.Check.File
	case zones.Static:
		return "static"
	case zones.ICMP:
		return "icmp " + t.Address.String()
	}
	return string(t.Check.Kind) + " " + netip.AddrPortFrom(t.Address, t.Check.Port).String()
}

// key hashes the address and every field of the check that is set. Fields that are zero are left out, so that a
// version of livens that knows one field more gives the checks of today the same keys.
func key(address netip.Addr, c *zones.Check) string {
	h := sha256.New()
	if remote(c.Kind) {
		fmt.Fprintf(h, "Address=%s\n", address)
	}
	fields := reflect.ValueOf(*c)
	for i := range fields.NumField() {
		if value := fields.Field(i); !value.IsZero() {
			// JSON, because it sorts the keys of maps and escapes line ends. These types always marshal.
			text, _ := json.Marshal(value.Interface())
			fmt.Fprintf(h, "%s=%s\n", fields.Type().Field(i).Name, text)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:10])
}

// remote says that checks of this kind send packets to the target's address.
func remote(k zones.Kind) bool {
	return k != zones.Exec && k != zones.File && k != zones.Static
}

// streams says that checks of this kind open a TCP connection, which a server keeps open: these can be watched.
func streams(k zones.Kind) bool {
	return remote(k) && k != zones.DNS && k != zones.ICMP
}
