package main

import (
	"testing"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

func TestReceiptWords(t *testing.T) {
	now := time.Now()
	tonight := now.Add(30 * time.Hour)
	pool := func(active, pending string) *web.Pool {
		return &web.Pool{Decision: failover.Decision{Pool: "chat", Active: []string{active}, Pending: pending}, Failback: "gated"}
	}
	for name, c := range map[string]struct {
		order   failover.Order
		receipt web.Receipt
		want    string
	}{
		"carried out": {
			failover.Order{Verb: failover.DoFailover, Deployment: "b"},
			web.Receipt{Before: []string{"a"}, Pool: pool("b", ""), Override: &failover.Override{Until: tonight}},
			"b answers now (was a); the order holds until " + clock(tonight),
		},
		"without end": {
			failover.Order{Verb: failover.DoFailover, Deployment: "b"},
			web.Receipt{Before: []string{"a"}, Pool: pool("b", ""), Override: &failover.Override{}},
			"b answers now (was a); the order holds until it is ended",
		},
		"waits": {
			failover.Order{Verb: failover.DoFailover, Deployment: "b"},
			web.Receipt{Before: []string{"a"}, Pool: pool("a", "b waits for its sync check: HTTP 503"), Override: &failover.Override{}},
			"a answers as before; the order holds until it is ended, and b will answer by the failback rule (gated); b waits for its sync check: HTTP 503",
		},
		"failback waits": {
			failover.Order{Verb: failover.DoFailback},
			web.Receipt{Before: []string{"b"}, Pool: pool("b", "a waits"), Override: &failover.Override{Deployment: "a", Until: tonight}},
			"b answers as before; the order waits until " + clock(tonight) + "; a waits",
		},
		"followers": {
			failover.Order{Verb: failover.DoFailback},
			web.Receipt{Before: []string{"b"}, Pool: pool("a", ""), Followers: []string{"ws", "api"}},
			"a answers now (was b); ws, api follow",
		},
		"known to all": {
			failover.Order{Verb: failover.DoUndrain, Deployment: "b"},
			web.Receipt{Before: []string{"a"}, Pool: pool("a", ""), Known: []string{"ns1", "ns2", "ns3"}},
			"b is no longer drained; a answers as before; known to 3 of 3 nameservers",
		},
		"planned, and not known to all": {
			failover.Order{Verb: failover.DoFailover, Deployment: "b"},
			web.Receipt{Before: []string{"a"}, Pool: pool("a", "b answers at …"), Known: []string{"ns1"}, Untold: []string{"ns2", "ns3"},
				Override: &failover.Override{Kind: failover.ToFailover, Deployment: "b", Who: "al", From: tonight, Until: tonight.AddDate(0, 0, 2)}},
			"planned in 1 d 6 h: failover to b by al from " + clock(tonight) + " until " + clock(tonight.AddDate(0, 0, 2)) +
				"; a answers as before; known to 1 of 3 nameservers, not yet to ns2, ns3",
		},
		"drain of a standby": {
			failover.Order{Verb: failover.DoDrain, Deployment: "b"},
			web.Receipt{Before: []string{"a"}, Pool: pool("a", ""), Override: &failover.Override{}},
			"b is drained until it is ended; a answers as before",
		},
		"undrain": {
			failover.Order{Verb: failover.DoUndrain, Deployment: "a"},
			web.Receipt{Before: []string{"b"}, Pool: pool("b", "a gets traffic back at 12:00:00 (failback = delay)")},
			"a is no longer drained; b answers as before; a gets traffic back at 12:00:00 (failback = delay)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := receiptWords(c.order, &c.receipt, now); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
