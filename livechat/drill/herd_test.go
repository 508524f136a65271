package drill_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livens/livens/failover"
)

const (
	herdSize   = 5000
	herdSpread = 5 * time.Second // what deployments ask for: herdSize / attach_rate
	herdPeak   = 1.5             // times the even rate, in any second
	herdDoor   = 50              // come at a time before the order: as fast as the machine bears, so that nothing seems down
)

// TestDrillChatHerd (F7): 5,000 visitors are moved at once by a planned switch. They come over the time that the deployment
// asks for, evenly enough; none is lost, nor is what they wrote.
func TestDrillChatHerd(t *testing.T) {
	w := newEmptyWorld(t, plan{livechat: fmt.Sprintf("[limits]\nattach_rate = %d\n", herdSize/int(herdSpread.Seconds()))})
	flock := make([]sheep, herdSize)
	var there, done sync.WaitGroup
	there.Add(herdSize)
	errs := make(chan error, herdSize)
	coming := make(chan struct{}, herdDoor)
	for i := range flock {
		flock[i].n = i
		coming <- struct{}{}
		done.Go(func() {
			arrived := sync.OnceFunc(func() { <-coming; there.Done() })
			defer arrived()
			if err := flock[i].live(t.Context(), w, arrived); err != nil {
				errs <- fmt.Errorf("visitor %d: %w", i, err)
			}
		})
	}
	there.Wait()
	w.settle()
	began := time.Now()
	w.obeyed(failover.DoFailover, w.redundant)
	done.Wait()
	close(errs)
	shown := 0
	for err := range errs {
		if shown++; shown <= 10 {
			t.Error(err)
		}
	}
	report(t, flockFigures(t, flock, began))
}

// flockFigures judges how all came.
func flockFigures(t *testing.T, flock []sheep, began time.Time) row {
	var times []time.Time
	f := figures{}
	for _, s := range flock {
		f.sent += 2
		if !s.held {
			f.lost++
		}
		if !s.attached.IsZero() {
			times = append(times, s.attached)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	peak, first := 0, 0
	for i, at := range times {
		for at.Sub(times[first]) >= time.Second {
			first++
		}
		peak = max(peak, i-first+1)
	}
	most := int(herdPeak * herdSize / herdSpread.Seconds())
	if peak > most {
		t.Errorf("%d came within a second, promised at most %d", peak, most)
	}
	if len(times) < len(flock) || f.lost > 0 {
		t.Errorf("%d of %d came, and %d messages are lost", len(times), len(flock), f.lost)
	}
	return row{what: fmt.Sprintf("%d visitors moved at once", len(flock)), promised: fmt.Sprintf("≤ %d/s", most), figures: f,
		more: fmt.Sprintf("at most %d came within a second, all within %v", peak, round(times[len(times)-1].Sub(began)))}
}
