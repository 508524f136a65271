package events

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// Options are what a Teller works with. All fields are needed, except Hooks and Start.
type Options struct {
	Name    string // this nameserver, as said in what is told
	Version string // of livens, for the User-Agent
	Log     *Log
	Hooks   []zones.HookConfig // at first; see Use
	// May says whether this nameserver is the one that tells now. It is asked before every try, from several goroutines.
	May func() bool
	// Start is the command that starts a cold deployment; empty: none. It is called from several goroutines.
	Start  func(pool, deployment string) []string
	Logger *slog.Logger
}

// Teller tells events to hooks, each hook in a goroutine of its own: one that hangs delays no other, and never a switch.
//
// An event is told when it has been known for 300 ms (by then nameservers agree on the ID of what has none by itself), in order, and at least once:
// after a take-over, or when an answer is lost, it comes again with the same ID. What fails is tried again after 1 s, 2 s,
// and so on up to a minute, for a day; then it is given up. While May is false nothing is tried; whatever is pending when
// it becomes true is told then.
//
// Without a quorum nobody tells. When it is back, web hooks, which inform, are told what happened meanwhile, with quorum
// false in the document. Commands and start commands, which act, run only for events with Quorum; start commands at once,
// one at a time for each deployment, and only while the event is less than a minute old.
type Teller struct {
	o       Options
	changed chan struct{}     // Use was called
	lost    map[string]uint64 // by hook: the events given up that were logged

	mu       sync.Mutex
	hooks    []zones.HookConfig
	tellers  map[string]*hookWorker // by name of the hook
	starters map[[2]string]*worker  // by pool and deployment
}

// hookWorker is a running worker and what it was made from.
type hookWorker struct {
	*worker
	config zones.HookConfig
	end    func() // returns when it has ended
}

// NewTeller makes a Teller; Run starts it.
func NewTeller(o Options) *Teller {
	t := &Teller{o: o, changed: make(chan struct{}, 1), lost: map[string]uint64{}, tellers: map[string]*hookWorker{}, starters: map[[2]string]*worker{}}
	t.Use(o.Hooks)
	return t
}

// Use replaces the hooks. One that stays as it is goes on; one that changes gets what the former one of that name was
// not told; a new one is told nothing older than now.
func (t *Teller) Use(hooks []zones.HookConfig) {
	t.mu.Lock()
	t.hooks = slices.Clone(hooks)
	t.mu.Unlock()
	t.o.Log.Use(hooks, time.Now())
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// Run tells until ctx ends; a try under way is broken off then.
func (t *Teller) Run(ctx context.Context) {
	var starters sync.WaitGroup
	defer starters.Wait()
	defer t.endHooks(func(zones.HookConfig) bool { return false })
	events := t.o.Log.Changes()
	t.startCold(ctx, &starters)
	for {
		select {
		case <-t.changed:
			t.runHooks(ctx)
		case <-events:
			t.startCold(ctx, &starters)
			t.wake()
			t.tellLosses()
		case <-ctx.Done():
			return
		}
	}
}

// runHooks ends the workers of hooks that are gone or changed, and starts those that are missing.
func (t *Teller) runHooks(ctx context.Context) {
	t.mu.Lock()
	hooks := t.hooks
	t.mu.Unlock()
	t.endHooks(func(config zones.HookConfig) bool {
		return slices.ContainsFunc(hooks, func(h zones.HookConfig) bool { return reflect.DeepEqual(h, config) })
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, h := range hooks {
		if t.tellers[h.Name] == nil {
			t.tellers[h.Name] = t.runHook(ctx, h)
		}
	}
}

func (t *Teller) runHook(ctx context.Context, h zones.HookConfig) *hookWorker {
	w := newWorker(&t.o, hookDebt(h), "hook "+h.Name)
	w.settle, w.patience, w.timeout = settle, patience, h.Timeout
	if h.URL != "" {
		w.tell = newWebhook(&t.o, h).post
	} else {
		w.tell = func(ctx context.Context, e failover.Event) error { return run(ctx, h.Command, t.o.Name, e) }
	}
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { w.run(ctx) })
	return &hookWorker{w, h, func() { cancel(); done.Wait() }}
}

// endHooks ends the workers of all hooks but those to keep. Two workers never tell one hook at the same time.
func (t *Teller) endHooks(keep func(zones.HookConfig) bool) {
	t.mu.Lock()
	var ended []*hookWorker
	for name, w := range t.tellers {
		if !keep(w.config) {
			delete(t.tellers, name)
			ended = append(ended, w)
		}
	}
	t.mu.Unlock()
	for _, w := range ended {
		w.end()
	}
}

// startCold makes workers for deployments whose start is wanted for the first time; they stay.
func (t *Teller) startCold(ctx context.Context, running *sync.WaitGroup) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.o.Log.owed(startDebt) {
		key := [2]string{o.Pool, o.Deployment}
		if t.starters[key] != nil {
			continue
		}
		w := newWorker(&t.o, startOf(o.Pool, o.Deployment), "start of "+o.Pool+"/"+o.Deployment)
		w.patience, w.timeout, w.tell = startPatience, startTimeout, t.start
		t.starters[key] = w
		running.Go(func() { w.run(ctx) })
	}
}

func startOf(pool, deployment string) debt {
	return debt{StartHook, func(e failover.Event) bool {
		return startDebt.wants(e) && e.Pool == pool && e.Deployment == deployment
	}}
}

func (t *Teller) start(ctx context.Context, e failover.Event) error {
	if t.o.Start == nil {
		return nil
	}
	if command := t.o.Start(e.Pool, e.Deployment); len(command) > 0 {
		return run(ctx, command, t.o.Name, e)
	}
	return nil
}

func (t *Teller) wake() {
	for _, w := range t.workers() {
		select {
		case w.woken <- struct{}{}:
		default:
		}
	}
}

// workers are all, hooks by name first.
func (t *Teller) workers() []*worker {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []*worker
	for _, w := range t.tellers {
		out = append(out, w.worker)
	}
	for _, w := range t.starters {
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b *worker) int { return strings.Compare(a.what, b.what) })
	return out
}
