package link

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

// follower is the connection on which this deployment reads the other's log.
type follower struct {
	l    *Link
	conn *websocket.Conn
	next store.Cursor  // where the next put follows on: what this store's cursor will be then
	log  string        // of the other
	read int64         // the position of the last put
	disk atomic.Int64  // the position up to which all is on disk
	some chan struct{} // disk has moved
	lost chan error    // a batch could not be stored
}

// Bounds of the pause before another try.
const (
	minPause = 100 * time.Millisecond
	maxPause = 2 * time.Second
)

// Run follows the other deployment until ctx is done, and then closes both connections.
func (l *Link) Run(ctx context.Context) {
	defer l.close()
	pause, complaint := minPause, ""
	for ctx.Err() == nil {
		began := time.Now()
		err := l.follow(ctx)
		l.note(func() { l.incoming, l.agreed = way{}, notCompared })
		l.options.Hub.PeerGone()
		if ctx.Err() != nil {
			return
		}
		if text := err.Error(); text != complaint {
			complaint = text
			l.options.Log.Warn("the other deployment cannot be followed", "peer", l.options.Peer, "error", err)
		}
		if time.Since(began) > maxPause {
			pause, complaint = minPause, ""
		}
		select {
		case <-time.After(pause/2 + rand.N(pause/2)):
		case <-ctx.Done():
		}
		pause = min(2*pause, maxPause)
	}
}

func (l *Link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.leader != nil {
		l.leader.cancel()
	}
}

// follow connects, and reads until the connection is broken.
func (l *Link) follow(ctx context.Context) error {
	dialing, cancel := context.WithTimeout(ctx, greet)
	defer cancel()
	conn, _, err := websocket.Dial(dialing, l.options.URL, &websocket.DialOptions{
		Subprotocols: []string{frame.LinkProtocol}, HTTPClient: l.options.Client,
	})
	if err != nil {
		return errors.New("it does not take the connection")
	}
	defer conn.CloseNow()
	conn.SetReadLimit(2 * frame.MaxBulkFrame)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cursor := l.options.Store.Mark().Cursor
	hello := frame.Hello{
		T: "hello", V: frame.Version, Role: frame.Deployment, Token: l.options.Secret, Name: l.options.Name,
		Log: cursor.Log, Seq: cursor.Seq, Build: l.options.Build,
	}
	if err := write(ctx, conn, hello); err != nil {
		return errors.New("it does not take hello")
	}
	f, err := read(ctx, conn, greet)
	welcome, ok := f.(*frame.Welcome)
	if err != nil || !ok || welcome.Log == "" {
		return fmt.Errorf("it does not answer hello: is secret_file the same there, and peer_name there %q?", l.options.Name)
	}
	if welcome.Deployment != l.options.Peer {
		return fmt.Errorf("it is %q: see peer and peer_name", welcome.Deployment)
	}
	if welcome.Seq != 0 && cursor != (store.Cursor{Log: welcome.Log, Seq: welcome.Seq}) {
		return errors.New("it goes on where this deployment did not stop")
	}
	l.note(func() { l.incoming, l.agreed, l.theirs = way{up: true}, notCompared, welcome.Build })
	l.options.Log.Info("follows the other deployment", "peer", l.options.Peer, "from", welcome.Seq, "version", welcome.Version)
	w := &follower{
		l: l, conn: conn, next: cursor, log: welcome.Log, read: welcome.Seq, some: make(chan struct{}, 1), lost: make(chan error, 1),
	}
	w.disk.Store(welcome.Seq)
	go w.answer(ctx, stop)
	for {
		f, err := read(ctx, conn, silent)
		if err != nil {
			return broken(err)
		}
		if err := w.take(f); err != nil {
			return err
		}
	}
}

// answer acknowledges what is on disk, and gives signs of life.
func (w *follower) answer(ctx context.Context, stop context.CancelFunc) {
	defer stop()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-w.some:
		case <-tick.C:
		case <-w.lost:
			return
		case <-ctx.Done():
			return
		}
		if write(ctx, w.conn, frame.Ack{T: "ack", Seq: w.disk.Load()}) != nil {
			return
		}
	}
}

// take takes a frame of the other deployment.
func (w *follower) take(f any) error {
	switch f := f.(type) {
	case *frame.Put:
		return w.put(f)
	case *frame.Synced:
		return w.compare(f)
	case *frame.Msg:
		w.l.options.Hub.FromPeer(f)
	case *frame.Ack:
		if f.Ping == "" {
			w.l.options.Hub.FromPeer(f)
			break
		}
		w.l.note(func() { w.l.incoming.progress(w.l.options.Store.Mark().Cursor.Seq, f.Seq) })
	}
	return nil
}

func (w *follower) put(p *frame.Put) error {
	if p.Seq <= w.read || len(p.Msgs) > frame.MaxPut {
		return errors.New("its log makes no sense")
	}
	for i := range p.Msgs {
		if err := p.Msgs[i].CheckStored(); err != nil {
			return fmt.Errorf("its log holds what cannot be stored: %w", err)
		}
	}
	after := w.next
	w.read, w.next = p.Seq, store.Cursor{Log: w.log, Seq: p.Seq}
	w.l.options.Hub.Take(p.Msgs, after, w.next, func(err error) {
		if err != nil {
			select {
			case w.lost <- err:
			default:
			}
			return
		}
		w.disk.Store(p.Seq)
		select {
		case w.some <- struct{}{}:
		default:
		}
	})
	return nil
}

// compare compares what both hold: of what is from before a time, or, in a moment in which each has read all of the other, of everything.
func (w *follower) compare(s *frame.Synced) error {
	digest, count, ok, err := w.sameCut(s)
	if err != nil || !ok {
		return err
	}
	l := w.l
	if s.Digest == digest && s.Count == count {
		l.note(func() { l.agreed = same })
		return nil
	}
	l.note(func() { l.agreed = different })
	l.options.Log.Error("the other deployment does not hold the same", "peer", l.options.Peer, "count", count, "there", s.Count)
	if time.Since(l.reread) < again {
		return nil
	}
	l.reread = time.Now()
	forgotten := make(chan error, 1)
	l.options.Hub.Recount(func(err error) { forgotten <- err })
	return errors.Join(<-forgotten, errors.New("its log is read again from the beginning"))
}

// sameCut is what this deployment holds of what the other has added up; ok is false when either lacks some of it that is on its way.
func (w *follower) sameCut(s *frame.Synced) (digest string, count int64, ok bool, err error) {
	db := w.l.options.Store
	if s.Before > 0 {
		old, ok, err := db.Settled(s.Before, s.Read)
		return old.Digest, old.Count, ok, err
	}
	mark := db.Mark()
	return mark.Digest, mark.Count, s.Seq == mark.Cursor.Seq && s.Read == mark.Seq, nil
}
