package pages_test

import (
	"context"
	"fmt"
	"github.com/livens/livens/livechat/chromium"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
)

// leave is a visitor who writes one message and goes away once it is safe. It returns the conversation.
func (s *shop) leave(name, text string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), chromium.Patience)
	defer cancel()
	visitor, err := chattest.Dial(ctx, "ws://"+s.config.Listen+"/chat")
	if err != nil {
		s.t.Fatal(err)
	}
	defer visitor.Close()
	sender := chattest.Sender(frame.Visitor)
	send := func(f any) {
		if err := visitor.Send(f); err != nil {
			s.t.Fatal(err)
		}
	}
	send(frame.Hello{T: "hello", V: 1, Role: frame.Visitor, Key: chattest.Key(), Sender: sender, Name: name})
	welcome, err := chattest.Until[*frame.Welcome](visitor, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	send(frame.Msg{T: "msg", C: welcome.C, S: sender, N: 1, Text: text})
	if _, err := chattest.Until(visitor, func(a *frame.Ack) bool { return a.By == "safe" }); err != nil {
		s.t.Fatal(err)
	}
	return welcome.C
}

func (s *shop) operator() *tab {
	s.t.Helper()
	operator := newTab(s.t)
	operator.Size(1280, 800, "light")
	operator.Run(chromedp.Navigate(s.url + "/operator"))
	operator.Click("[data-testid=operator-name]")
	operator.Enter("Ann")
	operator.Click("[data-testid=operator-token]")
	operator.Enter(token)
	operator.Key("Enter")
	operator.Until(`shown($("nav h1"))`)
	return operator
}

// Thirty visitors left a message. The console lists the latest first, is walked through by keys, keeps what is being written
// in one conversation out of the others, and says who still waits.
func TestThirtyConversations(t *testing.T) {
	t.Parallel()
	shop := openShop(t)
	ids := make([]string, 30)
	for i := range ids {
		ids[i] = shop.leave(fmt.Sprintf("Visitor number %d", i+1), fmt.Sprintf("Question %d", i+1))
	}
	operator := shop.operator()
	operator.Until(`$$("[data-testid=conversation]").length === 30 && document.title.startsWith("(30) ")`)
	listed := ask[[]string](operator, `$$("[data-testid=conversation]").map((b) => b.dataset.id)`)
	for i, id := range listed {
		if want := ids[len(ids)-1-i]; id != want {
			t.Errorf("conversation %d in the list is %s, want %s: the latest first", i+1, id, want)
		}
	}
	operator.Click("[data-testid=conversation]")
	operator.says("Question 30", "")
	operator.Enter("A draft")
	operator.Key("ArrowDown", input.ModifierAlt)
	operator.says("Question 29", "")
	if draft := ask[string](operator, `id("operator-input").value`); draft != "" {
		t.Errorf("what was written for one visitor is in the box for the next: %q", draft)
	}
	operator.Key("ArrowUp", input.ModifierAlt)
	operator.Until(`id("operator-input").value === "A draft" && document.activeElement === id("operator-input")`)
	operator.Key("Enter")
	operator.says("A draft", "safe")
	operator.Until(`$("[data-filter=waiting] span").textContent === "29" && document.title.startsWith("(28) ")`)
	operator.Click("[data-filter=waiting]")
	operator.Until(`$$("[data-testid=conversation]").length === 29 && id("conversation").dataset.id === %s`, chromium.Quoted(ids[28]))
	operator.Key("Escape")
	operator.Until(`document.activeElement?.dataset.testid === "conversation"`)
	operator.Key("ArrowDown")
	operator.Key("Enter")
	operator.says("Question 28", "")
	operator.Click(".quick button")
	operator.Until(`id("operator-input").value === "Hello Visitor number 28, how can I help?"`)
	operator.Size(390, 844, "light")
	operator.Until(`!shown(id("conversation")) && shown(id("operator-input"))`)
	operator.Click("#room .back")
	operator.Until(`shown(id("conversation")) && !shown(id("operator-input"))`)
	operator.Run(chromedp.Reload())
	operator.Until(`$$("[data-testid=conversation]").length === 30 && document.title.startsWith("(27) ")`)
	operator.Click("#leave")
	operator.Until(`shown(id("operator-login")) && !sessionStorage.getItem("operator-token")`)
	operator.Content(t)
}
