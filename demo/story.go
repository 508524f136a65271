package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/livens/livens/internal/stage"
)

// story is what the demo shows, told from what a resolver sees: one query every few milliseconds.
type story struct {
	ns      *stage.Nameserver
	primary *stage.Deployment
	names   map[netip.Addr]string
	began   time.Time
	asker   *stage.Asker
	asked   int
	silent  int // queries that got no address
	current netip.Addr
	ttl     uint32
}

const (
	askEvery = 5 * time.Millisecond
	lookOn   = 2 * time.Second  // between the acts
	patience = 30 * time.Second // for what must happen
)

func (s *story) tell(ctx context.Context) (err error) {
	if s.asker, err = s.ns.Asker(); err != nil {
		return err
	}
	defer s.asker.Close()
	s.began = time.Now()
	if err := s.until(ctx, s.primary.Addr.Addr()); err != nil {
		return err
	}
	if err := s.watch(ctx, lookOn); err != nil {
		return err
	}
	killed := time.Now()
	s.primary.Kill()
	s.say("the primary is killed (kill -9)")
	if err := s.untilOther(ctx, s.primary.Addr.Addr()); err != nil {
		return err
	}
	switched := time.Since(killed)
	s.why(ctx)
	if err := s.watch(ctx, lookOn); err != nil {
		return err
	}
	returned := time.Now()
	if err := s.primary.Start(ctx); err != nil {
		return err
	}
	s.say("the primary is started again; failback = auto waits until it is up, and 10 s after the switch")
	if err := s.until(ctx, s.primary.Addr.Addr()); err != nil {
		return err
	}
	back := time.Since(returned)
	s.why(ctx)
	if err := s.watch(ctx, lookOn); err != nil {
		return err
	}
	fmt.Printf("\n  out of the answers %s after the kill; back %s after the return; %d of %d queries without an address\n\n",
		bold(fmt.Sprintf("%.0f ms", switched.Seconds()*1000)), bold(fmt.Sprintf("%.1f s", back.Seconds())), s.silent, s.asked)
	return nil
}

// ask sends one query and tells when the answer is another than before.
func (s *story) ask() {
	s.asked++
	addrs, ttl, err := s.asker.A(name)
	if err != nil {
		s.silent++
		s.say("no answer: %v", err)
		return
	}
	if addrs[0] == s.current && ttl == s.ttl {
		return
	}
	s.current, s.ttl = addrs[0], ttl
	s.say("%s → %s, TTL %d  %s", name, bold(s.current.String()), ttl, s.names[s.current])
}

// watch asks on for a while.
func (s *story) watch(ctx context.Context, d time.Duration) error {
	end := time.Now().Add(d)
	return s.untilTrue(ctx, func() bool { return time.Now().After(end) })
}

func (s *story) until(ctx context.Context, want netip.Addr) error {
	return s.untilTrue(ctx, func() bool { return s.current == want })
}

func (s *story) untilOther(ctx context.Context, gone netip.Addr) error {
	return s.untilTrue(ctx, func() bool { return s.current != gone })
}

func (s *story) untilTrue(ctx context.Context, done func() bool) error {
	limit := time.After(patience)
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		s.ask()
		if done() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return errors.New("what should have happened did not; see " + s.ns.Log)
		case <-tick.C:
		}
	}
}

// why prints the nameserver's own reason for its last decision.
func (s *story) why(ctx context.Context) {
	if status, err := s.ns.Client.Status(ctx); err == nil {
		fmt.Printf("            %s\n", dim(status.Pool("chat").Reason))
	}
}

func (s *story) say(format string, args ...any) {
	fmt.Printf("  %6.2f s  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

func bold(text string) string { return styled("1", text) }
func dim(text string) string  { return styled("2", text) }

func styled(code, text string) string {
	if !isTerminal(os.Stdout) {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
