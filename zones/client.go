package zones

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// Client is what a page that uses a pool is to know, besides the deployments: docs/client-protocol.md.
type Client struct {
	URL        string   // a WebSocket URL: the service by its DNS name; "": from the pool's first answer name
	Moderators []string // origins that have /v1/pools, at most 16; nil: from the zone's nameservers
	Scripts    []string // URLs of the script, at most 4; nil: at the first two Moderators
}

// defaultPath is where a chat deployment has its WebSocket.
const defaultPath = "/chat"

// readClient reads [pool.NAME.client] and every deployment's urls.
func (b *builder) readClient(s *section, p *Pool) {
	if s.sound("client") {
		c := s.sub("client")
		p.Client = Client{URL: get[string](c, "url"), Moderators: get[[]string](c, "moderators"), Scripts: get[[]string](c, "scripts")}
		if c.sound("url") {
			if hint, err := checkClientURL(p.Client.URL, "wss"); err != nil {
				c.errorf("url", hint, "%v", err)
			}
		}
		checkClientURLs(c, "moderators", "https", true)
		checkClientURLs(c, "scripts", "https", false)
	}
	owner := map[string]string{}
	for _, d := range p.Deployments {
		for _, u := range d.URLs {
			if other, taken := owner[u]; taken && other != d.Name {
				s.problem(Problem{Line: s.at.key("deployment").at(s.at), Key: s.join("deployment." + d.Name + ".urls"),
					Message: fmt.Sprintf("%s belongs to deployment %s too", clip(u), other), Hint: "each URL leads to one deployment"})
			}
			owner[u] = d.Name
		}
	}
}

// checkClientURLs checks a list of URLs; of origins, that they are no more than that.
func checkClientURLs(s *section, name, scheme string, origins bool) {
	list := get[[]string](s, name)
	for i, one := range list {
		hint, err := checkClientURL(one, scheme)
		if u, _ := url.Parse(one); err == nil && origins && (u.Path != "" || u.RawQuery != "") {
			hint, err = fmt.Sprintf("%s://%s", u.Scheme, u.Host), errors.New("is more than an origin")
		}
		switch {
		case err != nil:
			s.elementf(name, i, hint, "%q %v", clip(one), err)
		case slices.Contains(list[:i], one):
			s.elementf(name, i, "", "%s is given twice", clip(one))
		}
	}
}

// checkClientURL says what is wrong with a URL that is to begin with scheme, "wss" or "https", or on this host without
// its s.
func checkClientURL(written, scheme string) (hint string, err error) {
	u, err := url.Parse(written)
	plain := strings.TrimSuffix(scheme, "s")
	hint = "for example " + scheme + "://chat.example.com" + map[string]string{"wss": defaultPath}[scheme]
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != scheme && u.Scheme != plain:
		return hint, fmt.Errorf("is no %s URL", scheme)
	case u.Scheme == plain && !loopback(u.Hostname()):
		return "use " + scheme, errors.New("crosses the network in clear, and no https page may use it")
	case !isClientHost(u):
		return hint, errors.New("has no host that a browser could find")
	case u.User != nil:
		return "remove them", errors.New("has a name or a password, which every visitor would read")
	case strings.Contains(written, "#"):
		return "remove it", errors.New("has a fragment")
	}
	return "", nil
}

// isClientHost says whether a URL's host is a name or an address, and its port one.
func isClientHost(u *url.URL) bool {
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	port, err := strconv.ParseUint(cmp.Or(u.Port(), "443"), 10, 16)
	_, unusable := peerHost(host)
	return err == nil && port > 0 && unusable == nil
}

// ClientOf is what a page that uses pool p is to know, with what the configuration leaves out filled in: the deployments'
// URLs, index by index, are made of the service's URL and their addresses. The error says what cannot be filled in.
func (s *Set) ClientOf(p *Pool, m *ModeratorConfig) (c Client, deployments [][]string, err error) {
	c = p.Client
	if c.URL == "" {
		i := slices.IndexFunc(p.Answers, func(name string) bool { return !strings.HasPrefix(name, "*") })
		if i < 0 {
			return c, nil, fmt.Errorf("pool %q answers only at wildcards: give url in [pool.%s.client]", p.Name, p.Name)
		}
		c.URL = "wss://" + strings.TrimSuffix(p.Answers[i], ".") + defaultPath
		if _, err := checkClientURL(c.URL, "wss"); err != nil {
			return c, nil, fmt.Errorf("%s %w: give url in [pool.%s.client]", c.URL, err, p.Name)
		}
	}
	if c.Moderators == nil {
		c.Moderators = s.moderators(p.Zone, m)
	}
	if c.Scripts == nil {
		for _, origin := range c.Moderators[:min(2, len(c.Moderators))] {
			c.Scripts = append(c.Scripts, origin+"/livens.js")
		}
	}
	if len(c.Scripts) == 0 {
		return c, nil, fmt.Errorf("nobody serves the script: give [moderator] in livens.toml, or moderators or scripts in [pool.%s.client]", p.Name)
	}
	for _, d := range p.Deployments {
		deployments = append(deployments, d.urls(c.URL))
	}
	return c, deployments, nil
}

// urls are the deployment's own, or else the service's with each of its addresses in place of the name.
func (d *Deployment) urls(service string) []string {
	if len(d.URLs) > 0 {
		return d.URLs
	}
	var out []string
	for _, addr := range d.Addresses {
		u, err := url.Parse(service)
		if err != nil {
			continue // it was checked
		}
		host := addr.String()
		if addr.Is6() {
			host = "[" + host + "]"
		}
		if port := u.Port(); port != "" {
			host = net.JoinHostPort(addr.String(), port)
		}
		u.Host = host
		out = append(out, u.String())
	}
	return out
}

// moderators are the origins of a zone's nameservers, if they have a public listener as this one has.
func (s *Set) moderators(zone string, m *ModeratorConfig) (out []string) {
	if m == nil || len(m.Listen) == 0 {
		return nil
	}
	if m.CertFile == "" { // only this host can ask it
		for _, listen := range m.Listen {
			out = append(out, "http://"+listen.String())
		}
		return out
	}
	port := ""
	if n := m.Listen[0].Port(); n != 443 {
		port = ":" + strconv.Itoa(int(n))
	}
	for _, z := range s.Zones {
		if z.Name != zone {
			continue
		}
		for _, p := range z.Records {
			if p.Type() != dns.TypeNS {
				continue
			}
			if ns := p.RR().(*dns.NS); strings.EqualFold(ns.Hdr.Name, zone) {
				out = append(out, "https://"+strings.ToLower(strings.TrimSuffix(ns.Ns, "."))+port)
			}
		}
	}
	return out
}
