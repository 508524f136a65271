package link

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/livens/livens/internal/guests"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

// leader is the connection on which the other deployment reads this one's log.
type leader struct {
	l       *Link
	number  int64 // of such connections, from 1
	conn    *websocket.Conn
	cancel  context.CancelFunc
	passing chan any
	acked   chan int64
	sent    int64
	read    int64     // how far the other has it on disk
	moved   time.Time // when it last got further, or had it all
	told    [2]int64  // what the last synced was about
	asked   time.Time // when that was
	beat    *time.Ticker
}

// errStuck ends a connection on which the other deployment speaks, but stores nothing.
var errStuck = errors.New("nothing of what it was sent is acknowledged")

// maxPassing bounds the passing frames that wait for a slow connection.
const maxPassing = 256

// ServeHTTP takes the other deployment's connection, in place of an earlier one.
func (l *Link) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{frame.LinkProtocol}})
	if err != nil {
		return // it was answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(frame.MaxBulkFrame)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	f, err := read(ctx, conn, greet)
	hello, ok := f.(*frame.Hello)
	if err != nil || !ok || hello.Role != frame.Deployment || hello.Name != l.options.Peer || !l.entitled(hello.Token) {
		l.notices.Warn(r, "a connection to the link was refused")
		_ = conn.Close(frame.Forged, "not the other deployment")
		return
	}
	guests.Keep(r.Context())
	lead := &leader{l: l, conn: conn, cancel: cancel, passing: make(chan any, maxPassing), acked: make(chan int64, 16), told: [2]int64{-1, -1}}
	lead.serve(ctx, hello)
}

func (lead *leader) serve(ctx context.Context, hello *frame.Hello) {
	l := lead.l
	mark := l.options.Store.Mark()
	if hello.Log == mark.Log && hello.Seq <= mark.Seq {
		lead.sent, lead.read = max(0, hello.Seq), max(0, hello.Seq)
	}
	welcome := frame.Welcome{T: "welcome", V: frame.Version, Deployment: l.options.Name, Log: mark.Log, Seq: lead.sent, Build: l.options.Build}
	if write(ctx, lead.conn, welcome) != nil {
		return
	}
	if !l.begin(lead) {
		return
	}
	defer l.end(lead)
	l.options.Log.Info("the other deployment follows", "peer", l.options.Peer, "from", lead.sent, "to", mark.Seq)
	lead.beat = time.NewTicker(beat)
	defer lead.beat.Stop()
	go lead.listen(ctx)
	for lead.step(ctx) == nil {
	}
}

// begin makes a connection the one that counts; false when the link is closed.
func (l *Link) begin(lead *leader) bool {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return false
	}
	if l.leader != nil {
		l.leader.cancel()
	}
	l.leader, l.outgoing = lead, way{up: true}
	l.leaders++
	lead.number = l.leaders
	l.mu.Unlock()
	l.options.Hub.Linked(lead.number, lead.read)
	return true
}

func (l *Link) end(lead *leader) {
	l.mu.Lock()
	current := l.leader == lead
	if current {
		l.leader, l.outgoing = nil, way{}
	}
	l.mu.Unlock()
	if current {
		l.options.Hub.Unlinked(lead.number)
		l.options.Log.Warn("the other deployment does not follow any more", "peer", l.options.Peer)
	}
}

// listen takes what the follower says.
func (lead *leader) listen(ctx context.Context) {
	defer lead.cancel()
	for {
		f, err := read(ctx, lead.conn, silent)
		if err != nil {
			return
		}
		if a, ok := f.(*frame.Ack); ok && a.Ping == "" {
			select {
			case lead.acked <- a.Seq:
			case <-ctx.Done():
				return
			}
		}
	}
}

// step sends what there is to send, or waits for something to happen.
func (lead *leader) step(ctx context.Context) error {
	db := lead.l.options.Store
	changed := db.Changed() // before it is read, so that nothing is missed
	mark := db.Mark()
	if lead.sent < mark.Seq {
		records, err := db.Since(lead.sent, frame.MaxPut)
		if err != nil {
			return err
		}
		return lead.put(ctx, records)
	}
	if now := [2]int64{mark.Seq, mark.Cursor.Seq}; lead.read == mark.Seq && now != lead.told {
		lead.told, lead.asked = now, time.Now()
		synced := frame.Synced{T: "synced", Seq: mark.Seq, Read: mark.Cursor.Seq, Digest: mark.Digest, Count: mark.Count}
		return write(ctx, lead.conn, synced)
	}
	select {
	case f := <-lead.passing:
		return write(ctx, lead.conn, f)
	case seq := <-lead.acked:
		lead.note(seq)
	case <-changed:
	case now := <-lead.beat.C: // whatever the other says: it must hear this one, too
		if err := lead.compareOld(ctx, now); err != nil {
			return err
		}
		if lead.read < lead.sent && time.Since(lead.moved) > stuck {
			return errStuck
		}
		return write(ctx, lead.conn, frame.Ack{T: "ack", Ping: "0", Seq: mark.Seq})
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// compareOld has the follower compare what is older than some seconds. Where messages come without a pause there is no moment in which each side has
// read all of the other.
func (lead *leader) compareOld(ctx context.Context, now time.Time) error {
	db := lead.l.options.Store
	mark := db.Mark()
	if now.Sub(lead.asked) < compareEvery || lead.told == [2]int64{mark.Seq, mark.Cursor.Seq} {
		return nil
	}
	before := now.Add(-settled).UnixMilli()
	old, ok, err := db.Settled(before, lead.read)
	if err != nil || !ok {
		return err
	}
	lead.asked = now
	return write(ctx, lead.conn, frame.Synced{T: "synced", Read: old.Read, Before: before, Digest: old.Digest, Count: old.Count})
}

// maxBytes bounds the messages of one put.
const maxBytes = 64 << 10

// put sends records, as many as fit into a frame. Passing frames and acknowledgements do not wait until a long log has been read.
func (lead *leader) put(ctx context.Context, records []store.Record) error {
	p := frame.Put{T: "put"}
	for size := 0; len(p.Msgs) < len(records); {
		r := records[len(p.Msgs)]
		if size += len(frame.Encode(r.Msg)); size > maxBytes && len(p.Msgs) > 0 {
			break
		}
		p.Msgs, p.Seq = append(p.Msgs, r.Msg), r.Seq
	}
	if err := write(ctx, lead.conn, p); err != nil {
		return err
	}
	if lead.read == lead.sent {
		lead.moved = time.Now()
	}
	lead.sent = p.Seq
	lead.note(lead.read)
	for {
		select {
		case seq := <-lead.acked:
			lead.note(seq)
		case f := <-lead.passing:
			if err := write(ctx, lead.conn, f); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// note notes how far the follower has come.
func (lead *leader) note(seq int64) {
	l := lead.l
	if seq > lead.sent {
		return // it cannot have what it was not sent
	}
	advanced := seq > lead.read
	if advanced {
		lead.read, lead.moved = seq, time.Now()
	}
	l.note(func() {
		if l.leader == lead {
			l.outgoing.progress(lead.read, l.options.Store.Mark().Seq)
		}
	})
	if advanced {
		l.options.Hub.PeerRead(lead.number, lead.read)
	}
}
