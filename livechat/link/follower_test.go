package link

import (
	"context"
	"database/sql"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

// lead is a deployment with a log of many messages, which it sends without waiting for an acknowledgement.
type lead struct {
	log   string
	many  int64
	heard func(seq int64) // an acknowledgement
	fails sync.WaitGroup  // greetings until which the follower's store fails
	met   int
}

func (l *lead) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{frame.LinkProtocol}})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	f, err := read(ctx, conn, greet)
	hello, ok := f.(*frame.Hello)
	if err != nil || !ok {
		return
	}
	if l.met++; l.met <= 3 {
		l.fails.Done()
	}
	at := int64(0)
	if hello.Log == l.log {
		at = hello.Seq
	}
	if write(ctx, conn, frame.Welcome{T: "welcome", V: 1, Deployment: "redundant", Log: l.log, Seq: at}) != nil {
		return
	}
	go func() {
		defer cancel()
		for {
			f, err := read(ctx, conn, patience)
			if err != nil {
				return
			}
			if a, ok := f.(*frame.Ack); ok && a.Ping == "" {
				l.heard(a.Seq)
			}
		}
	}()
	for n := at + 1; n <= l.many; n++ {
		text := "x"
		if n == 5 {
			text = "bad"
		}
		if write(ctx, conn, frame.Put{T: "put", Seq: n, Msgs: []frame.Msg{say(n, text)}}) != nil {
			return
		}
	}
	<-ctx.Done()
}

// TestAFailedPutIsNotSkipped: whatever the follower acknowledges it holds, also while its disk takes this put and not that one; and once the
// disk is whole it gets what it lacked.
func TestAFailedPutIsNotSkipped(t *testing.T) {
	l := &lead{log: strings.Repeat("1", 32), many: 500}
	l.fails.Add(3)
	h := newHalf(t, serve(t, l), quiet)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.dir, store.FileName)+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TRIGGER broken BEFORE INSERT ON message WHEN new.text = 'bad' BEGIN SELECT raise(ABORT, 'disk I/O error'); END"); err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	all := sync.OnceFunc(func() { close(done) })
	l.heard = func(seq int64) {
		records, err := h.store.Since(0, int(l.many))
		if err != nil {
			return // the test is over
		}
		if int64(len(records)) < seq {
			t.Errorf("%d were acknowledged, and %d are there", seq, len(records))
			all()
		}
		if seq == l.many {
			all()
		}
	}
	h.run(t)
	l.fails.Wait()
	if _, err := db.Exec("DROP TRIGGER broken"); err != nil {
		t.Fatal(err)
	}
	<-done
	if m := h.store.Mark(); m.Count != l.many && !t.Failed() {
		t.Errorf("%+v", m)
	}
}

// TestAWelcomeFromElsewhereIsRefused: a position that this deployment did not name would have it skip what is before.
func TestAWelcomeFromElsewhereIsRefused(t *testing.T) {
	refused := make(chan string, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{frame.LinkProtocol}})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
		defer cancel()
		if _, err := read(ctx, conn, greet); err != nil {
			return
		}
		_ = write(ctx, conn, frame.Welcome{T: "welcome", V: 1, Deployment: "redundant", Log: strings.Repeat("1", 32), Seq: 7})
		if f, err := read(ctx, conn, patience); err == nil {
			t.Errorf("it goes on: %+v", f)
		}
		select {
		case refused <- "":
		default:
		}
	})
	h := newHalf(t, serve(t, handler), quiet)
	h.run(t)
	<-refused
}

// TestWhyALinkEndedIsSaidInWords: the log is an operator's, who is to know what to look at.
func TestWhyALinkEndedIsSaidInWords(t *testing.T) {
	for how, end := range map[string]func(*websocket.Conn){
		"without a word":     func(conn *websocket.Conn) { _ = conn.CloseNow() },
		"with a close frame": func(conn *websocket.Conn) { _ = conn.Close(websocket.StatusGoingAway, "") },
	} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{frame.LinkProtocol}})
			if err != nil {
				return
			}
			ctx := context.WithoutCancel(r.Context())
			if _, err := read(ctx, conn, greet); err == nil {
				_ = write(ctx, conn, frame.Welcome{T: "welcome", V: 1, Deployment: "redundant", Log: strings.Repeat("1", 32)})
			}
			end(conn)
		})
		h := newHalf(t, serve(t, handler), quiet)
		if err := h.follow(t.Context()); err == nil || err.Error() != "the other deployment closed the link" {
			t.Errorf("%s: %v", how, err)
		}
	}
}
