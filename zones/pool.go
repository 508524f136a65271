package zones

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// poolAt is a pool with its place.
type poolAt struct {
	*Pool
	section *section
}

// readPools reads [pool.NAME] in the order they were written.
func (b *builder) readPools(top *section) {
	for _, e := range top.entries("pool") {
		if !isIdentifier(e.name) {
			top.problem(Problem{Line: e.at.at(), Key: e.path, Message: "is no pool name", Hint: "1–63 letters, digits, - and _"})
			continue
		}
		s := newSection(&b.report, b.shown(b.file), e.path, poolKeys(), e.raw, e.at, "")
		p := b.readPool(s, e.name)
		b.lines["pool "+p.Name] = e.at.at()
		b.lines["follow "+p.Name] = s.place("follow")
		b.zone.Pools = append(b.zone.Pools, p)
		b.pools = append(b.pools, poolAt{p, s})
	}
}

// isIdentifier says whether a name can be used in commands, metrics and host names as it is.
func isIdentifier(name string) bool {
	return name != "" && len(name) <= 63 && !strings.ContainsFunc(name, func(r rune) bool { return r > 0x7f || !isBare(byte(r)) })
}

func (b *builder) readPool(s *section, name string) *Pool {
	p := &Pool{
		Name: name, Zone: b.zone.Name,
		Policy:        Policy(get[string](s, "policy")),
		TTL:           uint32(get[int64](s, "ttl")),
		TTLMin:        uint32(get[int64](s, "ttl_min")),
		FailbackDelay: get[time.Duration](s, "failback_delay"),
		AllDown:       AllDown(get[string](s, "all_down")),
		MaxFailbacks:  int(get[int64](s, "max_failbacks")),
		Follow:        get[string](s, "follow"),
	}
	b.readTTLs(s, p)
	b.readAnswers(s, p)
	b.readDeployments(s, p)
	b.readClient(s, p)
	if s.has("follow") {
		b.readFollower(s, p)
		return p
	}
	b.readChecks(s, p)
	b.readFailback(s, p)
	warnPool(s, p)
	return p
}

func (b *builder) readTTLs(s *section, p *Pool) {
	if p.TTLMin > p.TTL {
		if s.sound("ttl_min") {
			s.errorf("ttl_min", "", "%d is above ttl, %d", p.TTLMin, p.TTL)
		}
		p.TTLMin = p.TTL
	}
	if p.TTL > 60 {
		s.warnf("ttl", "10 is usual; a switch reaches clients after the TTL",
			"%d s: clients stay on a dead deployment for more than a minute", p.TTL)
	}
}

func (b *builder) readAnswers(s *section, p *Pool) {
	for i, written := range get[[]string](s, "answers") {
		name, err := absolute(written, b.zone.Name)
		switch {
		case err != nil:
			s.elementf("answers", i, `"@" is the zone itself`, "%q %v", clip(written), err)
		case !within(name, b.zone.Name):
			s.elementf("answers", i, "", "%s is outside the zone %s", clip(name), b.zone.Name)
		case slices.Contains(p.Answers, name):
			s.elementf("answers", i, "", "%q is given twice", clip(written))
		default:
			p.Answers = append(p.Answers, name)
			if doubled(name, b.zone.Name) {
				s.problem(Problem{Warning: true, Line: s.elementLine("answers", i), Key: s.join("answers"),
					Message: "answers at " + name, Hint: "add a final dot if the name is complete"})
			}
		}
	}
}

// readFollower checks that a pool with follow has no rules of its own.
func (b *builder) readFollower(s *section, p *Pool) {
	p.Failback = Auto
	for _, name := range []string{"check", "sync", "policy", "failback", "failback_delay", "all_down", "max_failbacks"} {
		if s.has(name) {
			s.errorf(name, "remove it, or remove follow", "has no meaning beside follow: pool %q decides", p.Follow)
		}
	}
	if p.Follow == p.Name {
		s.errorf("follow", "name another pool", "the pool follows itself")
	}
	for i, d := range p.Deployments {
		for name, given := range map[string]bool{"probe_addresses": len(d.Probe) > 0, "cold": d.Cold} {
			if given {
				s.problem(Problem{Line: s.at.key("deployment").elem(i).at(s.at), Key: s.join("deployment." + d.Name + "." + name),
					Message: "has no meaning beside follow: the pool has no checks"})
			}
		}
	}
}

func (b *builder) readFailback(s *section, p *Pool) {
	p.Failback = Failback(get[string](s, "failback"))
	switch {
	case p.Failback == "" && s.has("sync"):
		p.Failback = Gated
	case p.Failback == "":
		p.Failback = Auto
	case p.Failback == Gated && !s.has("sync"):
		s.errorf("failback", "add a [pool."+p.Name+".sync] check, or use delay", "gated by what? the pool has no sync check")
	case p.Failback != Gated && s.has("sync"):
		s.errorf("sync", `set failback = "gated", or remove it`, "has no meaning with failback = %q", p.Failback)
	}
	if s.sound("failback_delay") && (p.Failback == Auto || p.Failback == Manual) {
		s.warnf("failback_delay", "", "has no effect with failback = %q", p.Failback)
	}
}

func (b *builder) readDeployments(s *section, p *Pool) {
	for _, e := range s.entries("deployment") {
		d := newSection(s.report, s.file, e.path, deploymentKeys(), e.raw, e.at, "")
		out := &Deployment{Name: get[string](d, "name"), Site: get[string](d, "site")}
		switch {
		case out.Name != "" && !isIdentifier(out.Name):
			d.errorf("name", "1–63 letters, digits, - and _", "%q is no deployment name", clip(out.Name))
		case out.Name != "" && p.Deployment(out.Name) != nil:
			d.errorf("name", "names are unique in a pool", "a deployment %q was given before", out.Name)
		}
		out.Addresses = distinct(d, "addresses")
		out.Probe = get[[]netip.Addr](d, "probe_addresses")
		if d.sound("probe_addresses") && d.sound("addresses") && len(out.Probe) != len(out.Addresses) {
			d.errorf("probe_addresses", "give one for each of addresses, in order", "%d for %d addresses", len(out.Probe), len(out.Addresses))
		}
		b.readCold(d, out)
		out.URLs = get[[]string](d, "urls")
		checkClientURLs(d, "urls", "wss", false)
		p.Deployments = append(p.Deployments, out)
	}
}

// readCold reads how a deployment is started that runs only when it is needed.
func (b *builder) readCold(s *section, d *Deployment) {
	d.Cold, d.Start = get[bool](s, "cold"), b.readCommand(s, "start")
	if d.Cold || !s.has("start") {
		return
	}
	d.Start = nil
	if s.sound("cold") || !s.has("cold") {
		s.errorf("start", "set cold = true, or remove it", "has no meaning for a deployment that is not cold")
	}
}

// distinct returns a list of addresses and reports repetitions.
func distinct(s *section, name string) []netip.Addr {
	list := get[[]netip.Addr](s, name)
	for i, addr := range list {
		if slices.Contains(list[:i], addr) {
			s.elementf(name, i, "", "%s is given twice", addr)
		}
	}
	return list
}

// warnPool says what is legal and unwise.
func warnPool(s *section, p *Pool) {
	if len(p.Deployments) == 1 {
		s.warnf("deployment", "add the redundant one", "the only deployment: there is nothing to switch to")
	}
	if len(p.Deployments) > 1 && p.Deployments[0].Cold {
		s.problem(Problem{Warning: true, Line: s.at.key("deployment").elem(0).at(s.at), Key: s.join("deployment." + p.Deployments[0].Name + ".cold"),
			Message: "the first deployment is cold: whenever it is up, traffic goes there", Hint: "the one that always runs comes first"})
	}
	if p.Policy == AllLive {
		s.warnf("policy", `"failover" sends everybody to one`, "all-live on a chat pool: visitor and operator may reach different deployments")
	}
	owner := map[netip.Addr]string{}
	for i, d := range p.Deployments {
		line := s.at.key("deployment").elem(i).at(s.at)
		for _, addr := range d.Addresses {
			if other, shared := owner[addr]; shared && other != d.Name {
				s.problem(Problem{Warning: true, Line: line, Key: s.join("deployment." + d.Name),
					Message: addr.String() + " belongs to deployment " + other + " too"})
			}
			owner[addr] = d.Name
		}
		if first := p.Deployments[0]; i > 0 && families(d) != families(first) && len(d.Addresses) > 0 && len(first.Addresses) > 0 {
			s.problem(Problem{Warning: true, Line: line, Key: s.join("deployment." + d.Name),
				Message: "has " + families(d) + " addresses, " + first.Name + " has " + families(first) + ": after a switch some clients find none",
				Hint:    "give all deployments addresses of the same families"})
		}
	}
}

// families says which address families a deployment has.
func families(d *Deployment) string {
	var has4, has6 bool
	for _, addr := range d.Addresses {
		has4 = has4 || addr.Is4()
		has6 = has6 || addr.Is6()
	}
	switch {
	case has4 && has6:
		return "IPv4 and IPv6"
	case has4:
		return "only IPv4"
	}
	return "only IPv6"
}
