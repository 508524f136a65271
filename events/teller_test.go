package events

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// receiver is a real HTTP server that notes what it gets.
type receiver struct {
	*httptest.Server
	got chan post
}

type post struct {
	header http.Header
	body   []byte
	event  Document
}

func receive(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{got: make(chan post, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		p := post{header: q.Header}
		p.body, _ = io.ReadAll(q.Body)
		if err := json.Unmarshal(p.body, &p.event); err != nil {
			t.Error(err)
		}
		r.got <- p
		if answer != nil {
			answer(w, q)
		}
	}))
	t.Cleanup(func() { r.CloseClientConnections(); r.Close() })
	return r
}

func hookTo(name, url string) zones.HookConfig {
	return zones.HookConfig{Name: name, URL: url, Timeout: 20 * time.Second}
}

// teller runs one with a Log until the test, or cancel, ends it.
func teller(t *testing.T, may func() bool, hooks ...zones.HookConfig) (*Teller, func()) {
	t.Helper()
	return runTeller(t, Options{Name: "ns1", Log: NewLog(), May: may, Hooks: hooks})
}

func runTeller(t *testing.T, o Options) (*Teller, func()) {
	t.Helper()
	o.Version, o.Logger = "v9", slog.New(slog.DiscardHandler)
	teller := NewTeller(o)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { teller.Run(ctx) })
	end := func() { cancel(); done.Wait() }
	t.Cleanup(end)
	return teller, end
}

func always() bool { return true }

func now(kind failover.EventKind, id string) failover.Event {
	return failover.Event{ID: id, Kind: kind, At: time.Now(), Node: "ns2", Pool: "chat", Deployment: id, From: "a", To: "b", Epoch: 7,
		Reason: "a went down", Quorum: true}
}

// told waits until the log's newest event is told to the hook.
func told(t *testing.T, l *Log, hook string) {
	t.Helper()
	changes := l.Changes()
	for {
		if last := l.Recent(1); len(last) == 1 && slices.Contains(last[0].Told, hook) {
			return
		}
		select {
		case <-changes:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s was not told: %+v", hook, l.Recent(-1))
		}
	}
}

func next(t *testing.T, r *receiver) post {
	t.Helper()
	select {
	case p := <-r.got:
		return p
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was posted")
		panic("unreachable")
	}
}

func TestAWebHookIsToldInOrderAndSigned(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := receive(t, nil)
	hook := hookTo("page", r.URL)
	hook.SecretFile, hook.Events = secret, []string{"switch", "verdict"}
	tl, _ := teller(t, always, hook)
	for _, e := range []failover.Event{now("switch", "1"), now("override", "2"), now("verdict", "3")} {
		e.Quorum = false
		tl.o.Log.Add(e, time.Now())
	}
	first, second := next(t, r), next(t, r)
	if first.event.ID != "1" || second.event.ID != "3" {
		t.Fatalf("told %s, %s; want 1, 3: in order, and only the kinds asked for", first.event.ID, second.event.ID)
	}
	if d := first.event; d.Nameserver != "ns1" || d.Node != "ns2" || d.Reason != "a went down" || d.Epoch != 7 {
		t.Errorf("%+v", d)
	}
	h := first.header
	if h.Get("Content-Type") != "application/json" || h.Get("User-Agent") != "livens/v9" || h.Get("Livens-Event") != "1" {
		t.Errorf("%v", h)
	}
	unix, _, _ := strings.Cut(strings.TrimPrefix(h.Get("Livens-Signature"), "t="), ",")
	at, err := strconv.ParseInt(unix, 10, 64)
	if err != nil || h.Get("Livens-Signature") != Sign([]byte("s3cret"), first.body, time.Unix(at, 0)) {
		t.Errorf("signature %q", h.Get("Livens-Signature"))
	}
	told(t, tl.o.Log, "page")
	if s := tl.Stats(); len(s) != 1 || s[0] != (HookStats{Hook: "page", Told: 2}) {
		t.Errorf("%+v", s)
	}
}

// TestSign holds Sign to a value that another implementation (openssl dgst -sha256 -hmac) made.
func TestSign(t *testing.T) {
	want := "t=1700000000,v1=2382c1d0968a5e57238c68de957f44d87e83d3049a5588ec251442ca372b8aec"
	if got := Sign([]byte("s3cret"), []byte(`{"id":"x"}`), time.Unix(1700000000, 0)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestWhatFailsIsTriedAgainAndAlerts(t *testing.T) {
	for name, fail := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"500": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "HTTP 500"},
		"redirect": {func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "/other", http.StatusTemporaryRedirect)
		},
			"redirects are not followed"},
		"cut":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"hang": {func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }, "deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int32
			retry := make(chan struct{})
			r := receive(t, func(w http.ResponseWriter, q *http.Request) {
				if tries.Add(1) == 1 {
					fail.answer(w, q)
					return
				}
				<-retry
			})
			hook := hookTo("page", r.URL+"/token")
			if name == "hang" {
				hook.Timeout = 5 * time.Second // the second try too, which waits while the alert is read, ends in that time
			}
			tl, _ := teller(t, always, hook)
			tl.o.Log.Add(now("switch", "1"), time.Now())
			if a, b := next(t, r), next(t, r); a.event.ID != "1" || b.event.ID != "1" {
				t.Fatalf("told %s, then %s", a.event.ID, b.event.ID)
			}
			alerts := tl.Alerts()
			if len(alerts) != 1 || alerts[0].Code != "hook-failing" || alerts[0].Since.IsZero() || !strings.Contains(alerts[0].Text, fail.says) {
				t.Fatalf("%+v, want %q", alerts, fail.says)
			}
			if strings.Contains(alerts[0].Text, "token") {
				t.Errorf("the URL may hold a secret: %s", alerts[0].Text)
			}
			close(retry)
			told(t, tl.o.Log, "page")
			synced(func() bool { return len(tl.Alerts()) == 0 })
			if s := tl.Stats()[0]; s != (HookStats{Hook: "page", Told: 1, Failed: 1}) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// synced waits for what follows in another goroutine without a signal of its own.
func synced(ok func() bool) {
	for i := 0; i < 1e4 && !ok(); i++ {
		time.Sleep(time.Millisecond)
	}
}

func TestAHangingHookDelaysNoOther(t *testing.T) {
	hung := receive(t, func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	r := receive(t, nil)
	slow := hookTo("hangs", hung.URL)
	slow.Timeout = time.Hour
	tl, _ := teller(t, always, slow, hookTo("page", r.URL))
	for _, id := range []string{"1", "2"} {
		tl.o.Log.Add(now("switch", id), time.Now())
		next(t, r)
	}
	told(t, tl.o.Log, "page")
	if got := tl.o.Log.Recent(1)[0].Told; slices.Contains(got, "hangs") {
		t.Errorf("told %v", got)
	}
	if len(next(t, hung).body) == 0 || len(hung.got) != 0 {
		t.Error("want one try at a time")
	}
	// A hook that is replaced while it hangs: the new one gets all that is pending.
	tl.Use([]zones.HookConfig{hookTo("hangs", r.URL), hookTo("new", r.URL)})
	if a, b := next(t, r), next(t, r); a.event.ID != "1" || b.event.ID != "2" {
		t.Errorf("told %s, %s; want 1, 2", a.event.ID, b.event.ID)
	}
	told(t, tl.o.Log, "hangs")
	if got := tl.o.Log.Recent(1)[0].Told; slices.Contains(got, "new") {
		t.Error("a new hook is told nothing old")
	}
	tl.Use(nil)
	synced(func() bool { return len(tl.Stats()) == 0 })
	if s := tl.Stats(); len(s) != 0 {
		t.Errorf("%+v of hooks that are gone", s)
	}
}

// TestTakeOver: a nameserver dies after posting and before it could mark the event; another posts it again, with its ID.
func TestTakeOver(t *testing.T) {
	r := receive(t, nil)
	var secondMay atomic.Bool
	posted := make(chan struct{})
	hang := receive(t, func(_ http.ResponseWriter, q *http.Request) { posted <- struct{}{}; <-q.Context().Done() })
	a, kill := teller(t, always, hookTo("page", hang.URL))
	b, _ := teller(t, secondMay.Load, hookTo("page", r.URL))
	a.o.Log.Add(now("switch", "x"), time.Now())
	b.o.Log.Add(now("switch", "x2"), time.Now())
	b.o.Log.Merge(sentAt(a.o.Log, time.Now()), time.Now())
	a.o.Log.Merge(sentAt(b.o.Log, time.Now()), time.Now())
	<-posted
	kill()
	if len(r.got) != 0 {
		t.Fatal("told by one that may not")
	}
	secondMay.Store(true)
	if first, again := next(t, hang), next(t, r); first.event.ID != "x" || again.event.ID != "x" {
		t.Errorf("told %s, then %s", first.event.ID, again.event.ID)
	}
	told(t, b.o.Log, "page")
}

func TestACommandGetsTheEvent(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	hook := zones.HookConfig{Name: "restart", Timeout: 10 * time.Second, Command: []string{"sh", "-c",
		`{ cat; echo; echo "$LIVENS_EVENT $LIVENS_KIND $LIVENS_POOL $LIVENS_DEPLOYMENT $LIVENS_FROM $LIVENS_TO $LIVENS_EPOCH $LIVENS_QUORUM $LIVENS_NAMESERVER $LIVENS_NODE $LIVENS_REASON"; } >>` + out}}
	tl, _ := teller(t, always, hook)
	without := now("switch", "0")
	without.Quorum = false
	tl.o.Log.Add(without, time.Now())
	tl.o.Log.Add(now("switch", "1"), time.Now())
	told(t, tl.o.Log, "restart")
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	body, line, _ := bytes.Cut(text, []byte("\n"))
	var d Document
	if err := json.Unmarshal(body, &d); err != nil || d.ID != "1" || d.Nameserver != "ns1" {
		t.Errorf("%+v %v: without a quorum no command runs", d, err)
	}
	if want := "1 switch chat 1 a b 7 true ns1 ns2 a went down\n"; string(line) != want {
		t.Errorf("%q, want %q", line, want)
	}
}

func TestACommandThatFailsOrHangs(t *testing.T) {
	err := run(t.Context(), []string{"sh", "-c", "echo no pager; exit 3"}, "ns1", now("switch", "1"))
	if err == nil || !strings.Contains(err.Error(), "exit status 3: no pager") {
		t.Errorf("%v", err)
	}
	if err := run(t.Context(), []string{"/does/not/exist"}, "ns1", now("switch", "1")); err == nil {
		t.Error("ran what is not there")
	}
	pids := filepath.Join(t.TempDir(), "pids")
	if err := syscall.Mkfifo(pids, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- run(ctx, []string{"sh", "-c", "sleep 1000 & echo $! >" + pids + "; wait"}, "ns1", now("switch", "1"))
	}()
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("%v", err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	gone := func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		return err != nil || bytes.Contains(stat, []byte(") Z "))
	}
	synced(gone)
	if !gone() {
		t.Error("the command's child outlived it")
	}
}

func TestStartsRunAtOnceAndOneAtATime(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "go")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	l := NewLog()
	tl, _ := runTeller(t, Options{Name: "ns1", Log: l, May: always, Start: func(pool, deployment string) []string {
		if deployment == "held" {
			return []string{"sh", "-c", "read x <" + fifo + "; echo $LIVENS_EVENT >>" + out}
		}
		return []string{"true"}
	}})
	for i, deployment := range []string{"held", "held", "other"} {
		e := now("start", fmt.Sprint(i))
		e.Deployment, e.To = deployment, fmt.Sprint(i)
		l.Add(e, time.Now())
	}
	told(t, l, StartHook) // of "other", while "held" runs
	if n := tl.Stats()[0]; n.Told != 1 || n.Pending != 2 {
		t.Errorf("%+v", n)
	}
	for i := range uint64(2) {
		if err := os.WriteFile(fifo, []byte("go\n"), 0); err != nil {
			t.Fatal(err)
		}
		synced(func() bool { return tl.Stats()[0].Told == 2+i })
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != "0\n1\n" {
		t.Errorf("%q %v", text, err)
	}
}

// fake makes a worker whose telling is a function: for what depends on the clock alone.
func fake(t *testing.T, d debt, may func() bool, tell func(failover.Event) error) *worker {
	o := &Options{Log: NewLog(), May: may, Logger: slog.New(slog.DiscardHandler)}
	w := newWorker(o, d, "hook page")
	w.settle, w.patience, w.timeout = settle, patience, time.Second
	w.tell = func(_ context.Context, e failover.Event) error { return tell(e) }
	o.Log.Use([]zones.HookConfig{{Name: "page", URL: "http://x"}}, time.Now())
	return w
}

var pageDebt = hookDebt(zones.HookConfig{Name: "page", URL: "http://x"})

func TestRetriesBackOffAndEndAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries []time.Time
		w := fake(t, pageDebt, always, func(e failover.Event) error {
			tries = append(tries, time.Now())
			return net.ErrClosed
		})
		begin := time.Now()
		w.log.Add(now("switch", "1"), begin)
		go w.run(t.Context())
		time.Sleep(patience + 2*lastRetry)
		synctest.Wait()
		if d := tries[0].Sub(begin); d != settle {
			t.Errorf("first told after %v, want %v", d, settle)
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			want *= time.Second
			if d := tries[i+1].Sub(tries[i]); d > want || d < want*3/4 {
				t.Errorf("pause %d is %v, want %v less up to a quarter", i, d, want)
			}
		}
		if last := tries[len(tries)-1].Sub(begin); last > patience || last < patience-lastRetry {
			t.Errorf("last try after %v", last)
		}
		if len(w.log.owed(w.debt)) != 0 || w.record.givenUp != 1 {
			t.Errorf("%+v, still owed: %v", w.record, w.log.owed(w.debt))
		}
		if a, raised := w.alert(); !raised || !a.Since.Equal(tries[0]) || !strings.Contains(a.Text, "1 given up") {
			t.Errorf("%+v", a)
		}
	})
}

func TestNothingIsToldWhileItMayNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var may atomic.Bool
		var got []string
		w := fake(t, pageDebt, may.Load, func(e failover.Event) error { got = append(got, e.ID); return nil })
		for _, id := range []string{"1", "2"} {
			w.log.Add(now("switch", id), time.Now())
		}
		go w.run(t.Context())
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(got) != 0 {
			t.Fatalf("told %v", got)
		}
		may.Store(true)
		time.Sleep(mayPause)
		synctest.Wait()
		if !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("told %v, want all that was pending", got)
		}
	})
}

func TestAStartIsDueAtOnceForAMinuteAndWithQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var may atomic.Bool
		var got []string
		w := fake(t, startDebt, may.Load, func(e failover.Event) error { got = append(got, e.ID); return nil })
		w.settle, w.patience = 0, startPatience
		old, without := now("start", "old"), now("start", "without")
		without.Quorum = false
		w.log.Add(old, time.Now())
		w.log.Add(without, time.Now())
		time.Sleep(startPatience + time.Second)
		w.log.Add(now("start", "new"), time.Now())
		skewed := now("start", "skewed") // of a nameserver whose clock is ahead
		skewed.At = skewed.At.Add(time.Hour)
		late := now("start", "late") // heard now, by one that has just joined
		late.At = late.At.Add(-2 * startPatience)
		w.log.Merge([]Entry{{Event: skewed}, {Event: late}}, time.Now())
		may.Store(true)
		go w.run(t.Context())
		synctest.Wait()
		if !slices.Equal(got, []string{"new", "skewed"}) || w.record.givenUp != 2 {
			t.Errorf("started %v, %d given up", got, w.record.givenUp)
		}
	})
}
