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
	"runtime"
	"strings"
	"sync"
	"weak"

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

// NewTarget is the target of check, which never changes again, for one address of a deployment of a pool. probe is where packets go
// (zones.Deployment.ProbeAddress). It is remembered as long as check is in use, since decisions and the status ask for
// the same again and again, and a key costs a hash of everything.
//
// {pool}, {deployment} and {address} are filled in in Path, Host, the values of Headers, Send, File and Command. A
// check that sends nothing to the address (exec, file, static) has one key for all addresses, unless a placeholder
// makes it differ: it is then run once.
func NewTarget(pool, deployment string, probe netip.Addr, check *zones.Check) Target {
	of := made.of(check)
	from := origin{pool, deployment, probe}
	if t, ok := of.Load(from); ok {
		return t.(Target)
	}
	t, _ := of.LoadOrStore(from, newTarget(from, check))
	return t.(Target)
}

// origin is what a target is made from, besides its check.
type origin struct {
	pool, deployment string
	probe            netip.Addr
}

// made are the targets of all checks that are in use.
var made memo

// memo remembers targets by check and origin. It keeps no check in use.
type memo struct{ checks sync.Map } // weak.Pointer[zones.Check] → *sync.Map, origin → Target

func (m *memo) of(check *zones.Check) *sync.Map {
	key := weak.Make(check)
	if of, ok := m.checks.Load(key); ok {
		return of.(*sync.Map)
	}
	of, known := m.checks.LoadOrStore(key, new(sync.Map))
	if !known {
		runtime.AddCleanup(check, func(key weak.Pointer[zones.Check]) { m.checks.Delete(key) }, key)
	}
	return of.(*sync.Map)
}

func newTarget(from origin, check *zones.Check) Target {
	fill := strings.NewReplacer("{pool}", from.pool, "{deployment}", from.deployment, "{address}", from.probe.String()).Replace
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
	return Target{Key: key(from.probe, &c), Address: from.probe, Check: &c, Deployment: from.deployment}
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
