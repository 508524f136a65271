package chat

import (
	"fmt"
	"testing"
	"time"

	"github.com/livens/livens/livechat/frame"
)

// slowHub has budgets that are as good as never refilled, so that a slow machine makes no difference.
func slowHub(t *testing.T) *Hub {
	h := newHub(t, nil)
	h.options.Rate = 1e-6
	return h
}

func speak(h *Hub, p *person, n int64) *Refusal {
	return h.Receive(p.Session, &frame.Msg{T: "msg", N: n, Text: "x"})
}

// TestAConversationHasOneBudget: neither who returns after it was closed has it anew, nor who opens many sockets has it many times.
func TestAConversationHasOneBudget(t *testing.T) {
	t.Parallel()
	h := slowHub(t)
	key, taken := visitor().Key, 0
	for range 20 {
		var sockets []*person
		for range 5 {
			hello := visitor()
			hello.Key = key
			sockets = append(sockets, attach(t, h, hello))
		}
		for _, p := range sockets {
			for n := int64(1); n <= 50; n++ {
				if no := speak(h, p, n); no != nil {
					if no.Code != frame.Malformed {
						t.Fatal(no)
					}
					break
				}
				taken++
			}
			h.Detach(p.Session)
		}
	}
	if most := h.options.Burst + outbox; taken != most {
		t.Errorf("%d messages of one conversation were taken, want %d", taken, most)
	}
	other := attach(t, h, visitor())
	if no := speak(h, other, 1); no != nil {
		t.Errorf("another conversation pays for it: %v", no)
	}
}

// TestAnOutboxMayBeSentAgain by who loses the connection again and again: what is held costs little.
func TestAnOutboxMayBeSentAgain(t *testing.T) {
	t.Parallel()
	h := slowHub(t)
	hello := visitor()
	for range 5 {
		p := attach(t, h, hello)
		for n := int64(1); n <= 50; n++ {
			if no := speak(h, p, n); no != nil {
				t.Fatal(no)
			}
		}
		write(t, h) // behind them
		h.Detach(p.Session)
	}
}

// TestTypingIsToldOnlySoOften.
func TestTypingIsToldOnlySoOften(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	began := time.Now()
	ann, ada := attach(t, h, operator()), attach(t, h, visitor())
	for range 300 {
		if no := h.Receive(ada.Session, &frame.Msg{T: "msg", Kind: frame.Typing}); no != nil {
			t.Fatal(no)
		}
	}
	if most := typingBurst + 1 + int(typingRate*time.Since(began).Seconds()); ann.msgs < typingBurst || ann.msgs > most {
		t.Errorf("told %d times, want %d to %d", ann.msgs, typingBurst, most)
	}
}

// TestTheOldestSocketGivesWay, and the newcomer stays.
func TestTheOldestSocketGivesWay(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	key := visitor().Key
	var all []*person
	for range maxTabs + 2 {
		hello := visitor()
		hello.Key = key
		all = append(all, attach(t, h, hello))
	}
	for i, p := range all {
		if want := i < 2; (p.closed == frame.Busy) != want {
			t.Errorf("socket %d of %d: closed with %d", i+1, len(all), p.closed)
		}
	}
	for _, p := range all {
		h.Detach(p.Session)
	}
	if len(h.conversations) != 0 || len(h.sessions) != 0 {
		t.Errorf("%d conversations and %d sessions are remembered, in which nothing was said", len(h.conversations), len(h.sessions))
	}
}

// TestAnAddressHasSoManyVisitors, and operators do not count, nor do others.
func TestAnAddressHasSoManyVisitors(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	h.options.PerAddress = 3
	var first *person
	for i := range 3 {
		p, no := knock(t, h, visitor(), "192.0.2.1")
		if no != nil {
			t.Fatal(no)
		}
		if i == 0 {
			first = p
		}
	}
	if _, no := knock(t, h, visitor(), "192.0.2.1"); no == nil || no.Code != frame.Busy {
		t.Errorf("the fourth: %v", no)
	}
	if _, no := knock(t, h, operator(), "192.0.2.1"); no != nil {
		t.Error(no)
	}
	if _, no := knock(t, h, visitor(), "192.0.2.2"); no != nil {
		t.Error(no)
	}
	h.Detach(first.Session)
	if _, no := knock(t, h, visitor(), "192.0.2.1"); no != nil {
		t.Errorf("when one has left: %v", no)
	}
}

// TestNewConversationsOfOneAddressArePaced: who draws key after key does not push out those in which somebody waits.
func TestNewConversationsOfOneAddressArePaced(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	h.options.PerAddress = 1000
	known, no := knock(t, h, visitor(), "192.0.2.1")
	if no == nil {
		no = speak(h, known, 1)
	}
	if no != nil {
		t.Fatal(no)
	}
	begun, began := 1, time.Now()
	for range 1000 {
		p, no := knock(t, h, visitor(), "192.0.2.1")
		if no != nil {
			t.Fatal(no)
		}
		if no = speak(h, p, 1); no == nil {
			begun++
		} else if no.Code != frame.Busy {
			t.Fatal(no)
		}
		h.Detach(p.Session)
	}
	if most := beginBurst + 1 + int(beginRate*time.Since(began).Seconds()); begun < beginBurst || begun > most {
		t.Errorf("%d conversations began, want %d to %d", begun, beginBurst, most)
	}
	if no := speak(h, known, 2); no != nil {
		t.Errorf("who has a conversation: %v", no)
	}
	other, _ := knock(t, h, visitor(), "192.0.2.2")
	if no := speak(h, other, 1); no != nil {
		t.Errorf("at another address: %v", no)
	}
}

// TestAddressesAreForgotten once nobody is there, and all of their budget is back.
func TestAddressesAreForgotten(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	h.options.PerAddress = 10
	for i := range 5 {
		p, no := knock(t, h, visitor(), fmt.Sprintf("192.0.2.%d", i))
		if no == nil && i == 0 {
			no = speak(h, p, 1)
		}
		if no != nil {
			t.Fatal(no)
		}
		if i < 4 {
			h.Detach(p.Session)
		}
	}
	if h.Tick(); len(h.addresses) != 2 {
		t.Errorf("%d are remembered, want that where somebody is and that which began a conversation", len(h.addresses))
	}
	if h.forget(time.Now().Add(time.Hour)); len(h.addresses) != 1 {
		t.Errorf("%d are remembered an hour later", len(h.addresses))
	}
}
