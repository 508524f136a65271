package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
	"github.com/livens/livens/zones"
)

// public is the Moderator with its listeners. A nil one is off.
type public struct {
	*web.Moderator
	config  *zones.ModeratorConfig
	notices *notices
	log     *slog.Logger

	mu     sync.Mutex
	where  map[netip.AddrPort]string // the URLs of those that listen, by what is configured
	failed map[netip.AddrPort]error  // why the others do not
}

func newPublic(config *zones.ModeratorConfig, script []byte, n *notices, log *slog.Logger) *public {
	if config == nil {
		return nil
	}
	p := &public{
		Moderator: web.NewModerator(config, script, log), config: config, notices: n, log: log,
		where: map[netip.AddrPort]string{}, failed: map[netip.AddrPort]error{},
	}
	p.reload()
	return p
}

// reload reads the certificate again. One that cannot be read changes nothing that works.
func (p *public) reload() {
	if p == nil {
		return
	}
	before := p.Expires()
	err := p.ReadCertificate()
	switch after := p.Expires(); {
	case err != nil:
		stays := "the former one stays in use"
		if before.IsZero() {
			stays = "no client can ask this nameserver"
		}
		p.notices.raise(codeCertificate, "the public listener's certificate", err.Error(), stays+"; mend the files, they are read again when they change")
		p.log.Error("the moderator's certificate cannot be read: "+stays, "error", err)
	default:
		p.notices.clear(codeCertificate)
		if !after.Equal(before) {
			p.log.Info("the moderator's certificate is read", "expires", after)
		}
	}
}

// run serves on all addresses until ctx is done. One that cannot be bound is tried again; DNS and the others do not wait.
func (p *public) run(ctx context.Context) error {
	if p == nil {
		<-ctx.Done()
		return nil
	}
	var all sync.WaitGroup
	for _, where := range p.config.Listen {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := p.listen(ctx, where); err != nil {
					p.heard(where, "", err)
					p.log.Error("moderator: DNS is answered all the same", "error", err, "retry", httpRetry)
					select {
					case <-ctx.Done():
					case <-time.After(httpRetry):
					}
				}
			}
		})
	}
	all.Wait()
	return nil
}

// listen serves on one address until that ends.
func (p *public) listen(ctx context.Context, where netip.AddrPort) error {
	network := "tcp6" // [::] is IPv6 only, so that 0.0.0.0 can stand beside it
	if where.Addr().Is4() {
		network = "tcp4"
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, network, where.String())
	if err != nil {
		return err
	}
	scheme := "http://"
	if p.Secure() {
		scheme = "https://"
	}
	url := scheme + l.Addr().String()
	p.heard(where, url, nil)
	p.log.Info("moderator", "url", url)
	defer p.heard(where, "", nil)
	return p.Serve(ctx, l)
}

// heard takes where a listener is now, or why it is nowhere.
func (p *public) heard(where netip.AddrPort, url string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.where, where)
	delete(p.failed, where)
	if url != "" {
		p.where[where] = url
	}
	if err != nil {
		p.failed[where] = err
	}
	if len(p.failed) == 0 {
		p.notices.clear(codeNoModerator)
		return
	}
	var texts []string
	for _, at := range slices.SortedFunc(maps.Keys(p.failed), netip.AddrPort.Compare) {
		texts = append(texts, p.failed[at].Error())
	}
	p.notices.raise(codeNoModerator, "clients that ask this nameserver who is active", strings.Join(texts, "; "),
		fmt.Sprintf("free the port or change [moderator] listen and restart; tried again every %v", httpRetry))
}

// status is how the listeners do; nil: there are none.
func (p *public) status() *web.ModeratorStatus {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	listen := []string{}
	for _, where := range p.config.Listen {
		if url := p.where[where]; url != "" {
			listen = append(listen, url)
		}
	}
	return p.Moderator.Status(listen)
}

// show hands on what is decided.
func (p *public) show(s *failover.Status) {
	if p != nil {
		p.Show(s)
	}
}

// expiresSoon is how long before its end a certificate raises an alert: who renews it automatically has done so by then.
const expiresSoon = 7 * 24 * time.Hour

// expiry raises an alert for a certificate that ends soon, or has ended.
func expiry(m *web.ModeratorStatus, now time.Time) []failover.Alert {
	if m == nil || m.Expires.IsZero() || m.Expires.Sub(now) > expiresSoon {
		return nil
	}
	a := failover.Alert{
		Code: codeExpires, Severity: failover.Warning, Affects: "clients that ask this nameserver who is active", Since: m.Expires.Add(-expiresSoon),
		Text: "the certificate of [moderator] ends in " + web.Age(m.Expires.Sub(now)), Hint: "renew it; the files are read again when they change",
	}
	if !now.Before(m.Expires) {
		a.Severity, a.Text = failover.Critical, "the certificate of [moderator] ended "+web.Age(now.Sub(m.Expires))+" ago: browsers refuse it"
	}
	return []failover.Alert{a}
}
