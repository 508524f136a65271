package drill_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/coder/websocket"
)

// sheep is a visitor without a browser: it says hello, writes, and goes where it is told; what it writes while it goes, too, is safe.
type sheep struct {
	n        int
	attached time.Time // to the deployment to which all were moved
	held     bool      // its messages came back from there
}

// chatFrame is what a sheep reads of any frame.
type chatFrame struct {
	T      string          `json:"t"`
	S      string          `json:"s"`
	N      int             `json:"n"`
	Have   json.RawMessage `json:"have"` // of a welcome by conversation, of an ack by sender
	By     string          `json:"by"`
	To     string          `json:"to"`
	Epoch  int             `json:"epoch"`
	Spread int             `json:"spread"`
	Ping   int             `json:"ping"`
}

// holds says whether an acknowledgement is of so much that a sender wrote.
func (f chatFrame) holds(sender string, n int) bool {
	var have map[string]int
	return json.Unmarshal(f.Have, &have) == nil && have[sender] >= n
}

func (s *sheep) sender() string { return fmt.Sprintf("v-herd%08d", s.n) }

// live is its life; arrived is called once it waits to be moved.
func (s *sheep) live(ctx context.Context, w *world, arrived func()) error {
	old, err := s.attach(ctx, w.primary, 0)
	if err != nil {
		return err
	}
	defer old.CloseNow()
	if err := s.say(ctx, old, 1); err != nil {
		return err
	}
	arrived()
	move, err := await(ctx, old, func(f chatFrame) bool { return f.T == "move" })
	if err != nil {
		return fmt.Errorf("waiting to be moved: %w", err)
	}
	if move.To != w.redundant.name {
		return fmt.Errorf("moved to %q", move.To)
	}
	if spread := time.Duration(move.Spread) * time.Millisecond; spread != herdSpread {
		return fmt.Errorf("it is to come within %v, want %v", spread, herdSpread)
	}
	time.Sleep(time.Duration(rand.Float64() * float64(move.Spread) * float64(time.Millisecond)))
	if err := s.say(ctx, old, 2); err != nil {
		return err
	}
	conn, err := s.attach(ctx, w.redundant, move.Epoch)
	if err != nil {
		return fmt.Errorf("moving: %w", err)
	}
	defer conn.CloseNow()
	s.held = true
	return old.Close(websocket.StatusNormalClosure, "")
}

// say writes its n-th message, and waits until that is safe.
func (s *sheep) say(ctx context.Context, conn *websocket.Conn, n int) error {
	if err := write(ctx, conn, map[string]any{"t": "msg", "s": s.sender(), "n": n, "text": "is this in stock?"}); err != nil {
		return err
	}
	f, err := await(ctx, conn, func(f chatFrame) bool {
		return f.T == "ack" && f.By == "safe" && f.holds(s.sender(), n) || f.T == "move"
	})
	if err != nil {
		return fmt.Errorf("waiting until its message %d is safe: %w", n, err)
	}
	if f.T == "move" {
		return errors.New("moved before the order, or twice")
	}
	return nil
}

// attach connects and says hello; moved, with the epoch of that, it waits for its messages as well.
func (s *sheep) attach(ctx context.Context, d *deployment, epoch int) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+d.addr.String()+"/chat", &websocket.DialOptions{Subprotocols: []string{"livens-chat.1"}})
	if err != nil {
		return nil, err
	}
	hello := map[string]any{"t": "hello", "v": 1, "role": "visitor", "key": fmt.Sprintf("herd%028d", s.n), "name": "sheep", "sender": s.sender(), "epoch": epoch}
	if err := write(ctx, conn, hello); err != nil {
		return nil, err
	}
	if _, err := await(ctx, conn, func(f chatFrame) bool { return f.T == "welcome" }); err != nil {
		return nil, fmt.Errorf("waiting for a welcome: %w", err)
	}
	if epoch == 0 {
		return conn, nil
	}
	s.attached = time.Now()
	if _, err := await(ctx, conn, s.both()); err != nil {
		return nil, fmt.Errorf("its messages are not there: %w", err)
	}
	return conn, nil
}

// both is for await: the second of its messages, after the first.
func (s *sheep) both() func(chatFrame) bool {
	last := 0
	return func(f chatFrame) bool {
		if f.T == "msg" && f.S == s.sender() && f.N == last+1 {
			last++
		}
		return last == 2
	}
}

func write(ctx context.Context, conn *websocket.Conn, frame any) error {
	text, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageText, text)
}

// await reads until a frame is the one, and says that it is there when it is asked.
func await(ctx context.Context, conn *websocket.Conn, is func(chatFrame) bool) (chatFrame, error) {
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return chatFrame{}, err
		}
		var f chatFrame
		if err := json.Unmarshal(text, &f); err != nil {
			return f, errors.Join(err, errors.New(string(text)))
		}
		if is(f) {
			return f, nil
		}
		if f.Ping > 0 {
			if err := write(ctx, conn, map[string]any{"t": "ack", "pong": f.Ping}); err != nil {
				return f, err
			}
		}
	}
}
