package deployment

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
)

// crowd connects n visitors, each of which sends a message and waits until it is safe.
func crowd(t testing.TB, d *running, n int) []*chattest.Client {
	t.Helper()
	clients, ctx := make([]*chattest.Client, n), t.Context()
	turn := make(chan bool, 16) // dials at once: on a slow machine more would not get to their hello in time
	var all sync.WaitGroup
	for i := range n {
		turn <- true
		all.Go(func() {
			defer func() { <-turn }()
			c, err := chattest.Dial(ctx, "ws://"+d.Addr()+"/chat")
			if err != nil {
				t.Error(err)
				return
			}
			clients[i] = c
			key, sender := chattest.Key(), chattest.Sender("visitor")
			id, _ := frame.Conversation(key)
			err = errors.Join(c.Send(frame.Hello{T: "hello", V: 1, Role: frame.Visitor, Key: key, Sender: sender}), c.Send(say(id, sender, 1, "Hello")))
			if err == nil {
				_, err = chattest.Until(c, func(a *frame.Ack) bool { return a.By == frame.Safe })
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return clients
}

// leave has all go, and waits until the deployment has noticed.
func leave(t testing.TB, d *running, clients []*chattest.Client) {
	t.Helper()
	for _, c := range clients {
		c.Cut()
	}
	if err := process.Await(t.Context(), patience, func() error {
		if n := d.hub.Clients(); n > 0 {
			return fmt.Errorf("%d are still there", n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestCrowdLeavesNothingBehind: no goroutine, no session, and a bounded rest of memory, however many have come and gone.
func TestCrowdLeavesNothingBehind(t *testing.T) {
	d := start(t, settings(t, "primary"))
	leave(t, d, crowd(t, d, 300)) // pools and connections of the database are there then
	goroutines := runtime.NumGoroutine()
	for range 3 {
		leave(t, d, crowd(t, d, 300))
	}
	await(t, func() error {
		if n := runtime.NumGoroutine(); n > goroutines+10 {
			return fmt.Errorf("%d goroutines, at first %d", n, goroutines)
		}
		return nil
	})
}

// TestSpreadGrowsWithTheCrowd: a welcome says over which time so many should come back, a pong says it anew.
func TestSpreadGrowsWithTheCrowd(t *testing.T) {
	c := settings(t, "primary")
	c.Limits.AttachRate = 10
	d := start(t, c)
	first, welcome, _ := d.attach(visitor(chattest.Key(), chattest.Sender("visitor")))
	if welcome.Spread != 100 {
		t.Errorf("alone: %d ms", welcome.Spread)
	}
	clients := crowd(t, d, 19)
	first.send(frame.Ack{T: "ack", Ping: "1"})
	if a := expect(first, func(a *frame.Ack) bool { return a.Pong == "1" }); a.Spread != 2000 {
		t.Errorf("of 20: %d ms", a.Spread)
	}
	leave(t, d, append(clients, first.Client))
}

// BenchmarkCrowd tells what 5,000 visitors cost who are connected at the same time, half of which is their own share.
func BenchmarkCrowd(b *testing.B) {
	const n = 5000
	var before, after runtime.MemStats
	d := start(b, settings(b, "primary"))
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		clients := crowd(b, d, n)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/n/1024, "KiB/client")
		leave(b, d, clients)
	}
}
