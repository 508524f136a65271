package drill_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/internal/process"
)

// receiver is a web server that is told of events, and what it was told.
type receiver struct {
	mu    sync.Mutex
	told  []failover.Event
	until int           // so many it answers; then it hangs
	hangs chan struct{} // closed then
	goOn  chan struct{} // closed when it is to answer again
}

// receive has the web server of the world answer so many events, and then hang until goOn is closed.
func (w *world) receive(until int) *receiver {
	r := &receiver{until: until, hangs: make(chan struct{}), goOn: make(chan struct{})}
	server := &http.Server{Handler: r}
	go server.Serve(w.hook) // ends with Close
	w.t.Cleanup(func() { server.Close() })
	return r
}

func (r *receiver) ServeHTTP(_ http.ResponseWriter, q *http.Request) {
	var d failover.Event
	if err := json.NewDecoder(q.Body).Decode(&d); err != nil {
		panic(http.ErrAbortHandler)
	}
	r.mu.Lock()
	r.told = append(r.told, d)
	n := len(r.told)
	r.mu.Unlock()
	if n == r.until+1 {
		close(r.hangs)
	}
	if n > r.until {
		select {
		case <-r.goOn:
		case <-q.Context().Done():
		}
	}
}

// ids are those of all that it was told, sorted, each once; repeats is how often one came again.
func (r *receiver) ids() (ids []string, repeats int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.told {
		ids = append(ids, d.ID)
	}
	slices.Sort(ids)
	once := slices.Compact(slices.Clone(ids))
	return once, len(ids) - len(once)
}

// tells says whether the nameserver that answers the status is the one that tells hooks.
func (ns *nameserver) tells() bool {
	status, err := ns.process.Status(ns.world.t.Context())
	return err == nil && status.Cluster.Teller == ns.name
}

// happened are the ids of what the nameserver knows, sorted; an error as long as it does not know of something, or a hook is
// yet to be told.
func (ns *nameserver) happened(something string) (ids []string, err error) {
	known, err := ns.process.Client.Events(ns.world.t.Context(), -1, "")
	if err != nil {
		return nil, err
	}
	found := false
	for _, e := range known.Events {
		if len(e.Owed) > 0 {
			return nil, fmt.Errorf("%s: %s %s is yet to be told", ns.name, e.Kind, e.ID)
		}
		ids, found = append(ids, e.ID), found || e.To == something
	}
	if !found {
		return nil, errors.New(ns.name + " knows of no " + something)
	}
	slices.Sort(ids)
	return ids, nil
}

// told waits until the nameservers know of something, and the receiver was told what each of them knows of and nothing else.
func (w *world) told(r *receiver, something string, nameservers ...*nameserver) {
	w.t.Helper()
	w.must(process.Await(w.t.Context(), followLimit, func() error {
		for _, ns := range nameservers {
			known, err := ns.happened(something)
			if err != nil {
				return err
			}
			if told, _ := r.ids(); !slices.Equal(told, known) {
				return fmt.Errorf("told %q; %s knows of %q", told, ns.name, known)
			}
		}
		return nil
	}))
}

// TestDrillTellerDies: the nameserver that tells hooks is killed when it has told some of many events, and is about to hear that
// the next one was taken. Another goes on. What was told is what happened, each at least once, and again only under its
// id: also when the killed one is back, and tells again.
func TestDrillTellerDies(t *testing.T) {
	t.Parallel()
	repeat(t, func(t *testing.T) {
		p := three()
		p.hook = true
		w := newWorld(t, p)
		teller, others := w.nameservers[0], w.nameservers[1:]
		w.must(process.Await(t.Context(), followLimit, func() error {
			if !teller.tells() {
				return errors.New(teller.name + " does not tell hooks")
			}
			return nil
		}))
		r := w.receive(5)
		for range 8 {
			w.order(others[0], failover.DoDrain, w.redundant)
			w.order(others[1], failover.DoUndrain, w.redundant)
		}
		w.primary.Kill()
		<-r.hangs
		teller.kill()
		close(r.goOn)
		w.told(r, teller.name+" silent", others...)
		w.must(teller.start())
		w.told(r, teller.name+" reached", w.nameservers...)
		ids, repeats := r.ids()
		t.Logf("told of %d events, and again of %d", len(ids), repeats)
		if repeats == 0 || len(ids) < 16+2 {
			t.Error("want those of 16 orders and a switch, and again what the killed one was telling")
		}
	})
}
