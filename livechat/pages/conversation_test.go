package pages_test

import (
	"github.com/livens/livens/livechat/chromium"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// What a stranger may write to hurt whoever reads it.
const hostile = `<img src=x onerror="document.title='broken'"><b>bold</b> & <script>document.title='broken'</script>`

const bubble = `$$("[data-testid=message]").find((m) => m.querySelector("p").textContent === %s)`

// says waits until the tab shows that message, with that mark if it is not empty.
func (p *tab) says(text, mark string) {
	p.t.Helper()
	p.Until("shown("+bubble+") && (!%s || "+bubble+".dataset.mark === %s)", chromium.Quoted(text), chromium.Quoted(mark), chromium.Quoted(text), chromium.Quoted(mark))
}

// One conversation from its first message to its end, each step as the two people see it.
func TestAConversation(t *testing.T) {
	t.Parallel()
	shop := openShop(t)
	visitor, operator := newTab(t), newTab(t)
	visitor.Size(1280, 800, "light")
	operator.Size(1280, 800, "light")

	leavesAMessage(t, shop, visitor)
	signsIn(t, shop, operator)
	answers(t, visitor, operator)
	writesHTML(t, visitor, operator)
	endsAndGoesOn(t, visitor, operator)
	readsLater(t, visitor, operator)
	losesTheDeployment(t, shop, visitor, operator)
	endsForGood(shop, visitor, operator)
	for _, p := range []*tab{visitor, operator} {
		p.Content(t)
		if !ask[bool](p, `(() => { try { document.createElement("p").innerHTML = "<b>x</b>"; return false } catch (e) { return e instanceof TypeError } })()`) {
			t.Error("the browser lets the page make markup of a string")
		}
	}
}

func leavesAMessage(t *testing.T, shop *shop, visitor *tab) {
	visitor.Run(chromedp.Navigate(shop.url))
	visitor.Until(`shown(id("open-chat"))`)
	if state := ask[string](visitor, `id("state").dataset.state`); state != "idle" {
		t.Errorf("a visitor who did not open the chat is %q, want idle: no connection", state)
	}
	visitor.Click("[data-testid=open-chat]")
	visitor.Until(`id("state").dataset.state === "live" && id("state").dataset.deployment === "primary"`)
	visitor.Until(`shown(id("offline")) && id("offline").textContent.includes("we answer by 10 on the next working day")`)
	if !ask[bool](visitor, `root.activeElement === id("chat-input")`) {
		t.Error("the box has not got the focus when the chat opens")
	}
	visitor.Click("[data-testid=chat-name]")
	visitor.Enter("Ada")
	visitor.Click("[data-testid=chat-input]")
	visitor.Until(`id("state").dataset.state === "live"`)
	visitor.Enter("Is anybody there?")
	visitor.Key("Enter")
	visitor.says("Is anybody there?", "safe")
	if ask[bool](visitor, `shown(id("chat-name"))`) || ask[string](visitor, `id("chat-input").value`) != "" {
		t.Error("after the first message: the name can still be changed, or the box is not empty")
	}
}

func signsIn(t *testing.T, shop *shop, operator *tab) {
	operator.Run(chromedp.Navigate(shop.url + "/operator"))
	operator.Until(`document.readyState === "complete"`)
	operator.Click("[data-testid=operator-name]")
	operator.Enter("Ann")
	operator.Click("[data-testid=operator-token]")
	operator.Enter("a guess")
	operator.Key("Enter")
	operator.Until(`id("login-problem").textContent.includes("does not accept this token")`)
	operator.Run(chromedp.Evaluate(`document.querySelector("#token").value = ""`, nil))
	operator.Click("[data-testid=operator-token]")
	operator.Enter(token)
	operator.Click("[data-testid=operator-login]")
	operator.Until(`shown(id("conversation")) && id("conversation").dataset.unread === "1"`)
	operator.Until(`document.title.startsWith("(1) ") && $("link[rel=icon]").href.endsWith("/favicon-unread.svg")`)
	operator.Until(`id("conversation").textContent.includes("Ada") && id("conversation").textContent.includes("Is anybody there?") && id("conversation").textContent.includes("waiting")`)
	operator.Until(`id("state").textContent.includes("live on primary")`)
	if stored := ask[[]string](operator, `[sessionStorage.getItem("operator-token"), JSON.stringify(localStorage)]`); stored[0] != token || len(stored[1]) > 200 {
		t.Errorf("the token is kept for this tab only: sessionStorage %q, localStorage %s", stored[0], stored[1])
	}
}

func answers(t *testing.T, visitor, operator *tab) {
	visitor.Until(`!shown(id("offline")) && id("state").textContent === "We are here to help"`)
	operator.Click("[data-testid=conversation]")
	operator.says("Is anybody there?", "")
	operator.Until(`id("conversation").dataset.unread === "0" && !document.title.startsWith("(")`)
	visitor.says("Is anybody there?", "delivered")
	operator.Enter("Yes, ")
	stop := operator.goesOnWriting("operator-input")
	visitor.Until(`shown(id("typing")) && id("typing").textContent.includes("is typing")`)
	stop()
	operator.Key("Enter", input.ModifierShift)
	operator.Enter("good morning")
	operator.Key("Enter")
	visitor.says("Yes, \ngood morning", "")
	visitor.Until(`!shown(id("typing"))`)
	operator.says("Yes, \ngood morning", "delivered")
	if who := ask[string](visitor, `$$("[data-from=operator] .who")[0].textContent`); who != "Ann" {
		t.Errorf("the visitor reads an answer of %q, want Ann", who)
	}
}

func writesHTML(t *testing.T, visitor, operator *tab) {
	visitor.Enter(hostile)
	stop := visitor.goesOnWriting("chat-input")
	operator.Until(`shown(id("typing")) && id("typing").textContent.includes("Ada is typing") && id("conversation").textContent.includes("is typing")`)
	stop()
	visitor.Click("[data-testid=chat-send]")
	operator.says(hostile, "")
	operator.Click("[data-testid=operator-input]")
	operator.Enter(hostile + "!")
	operator.Click("[data-testid=operator-send]")
	visitor.says(hostile+"!", "")
	visitor.says(hostile, "delivered")
	for _, p := range []*tab{visitor, operator} {
		if n := ask[int](p, `$$("ol img, ol b, ol script, nav b, nav img").length`); n != 0 {
			t.Errorf("%d elements were made of a message", n)
		}
		if ask[bool](p, `document.title.includes("broken")`) {
			t.Error("a message was run as a script")
		}
	}
}

func endsAndGoesOn(t *testing.T, visitor, operator *tab) {
	operator.Click("[data-testid=end-conversation]")
	visitor.Until(`$$("[data-testid=note]").some((n) => n.textContent.includes("closed. Write again"))`)
	operator.Until(`id("conversation").textContent.includes("ended") && id("end-conversation").disabled`)
	visitor.Click("[data-testid=chat-input]")
	visitor.Enter("One more thing")
	visitor.Key("Enter")
	operator.says("One more thing", "")
	operator.Until(`!id("end-conversation").disabled && id("conversation").textContent.includes("waiting")`)
	keys := `$$("[data-testid=message]").map((m) => m.dataset.key)`
	seen, answered := ask[[]string](visitor, keys), ask[[]string](operator, keys)
	if len(seen) != 5 || len(seen) != len(answered) {
		t.Fatalf("the visitor sees %q, the operator %q, want the same five", seen, answered)
	}
	for i := range seen {
		if seen[i] != answered[i] {
			t.Errorf("message %d is %s to the visitor and %s to the operator", i+1, seen[i], answered[i])
		}
	}
}

// The page is loaded again and the chat stays closed: an answer is told on the button, and is read once it is on the screen.
func readsLater(t *testing.T, visitor, operator *tab) {
	visitor.Run(chromedp.Reload())
	visitor.Until(`id("state")?.dataset.state === "live" && $$("[data-testid=message]").length === 5 && !shown(id("unread"))`)
	operator.Click("[data-testid=operator-input]")
	operator.Enter("Of course")
	operator.Key("Enter")
	visitor.Until(`shown(id("unread")) && id("unread").textContent === "1" && document.title.startsWith("(1) ")`)
	visitor.Until(`id("open-chat").getAttribute("aria-label") === "Chat with us, 1 new message"`)
	visitor.Click("[data-testid=open-chat]")
	visitor.says("Of course", "")
	visitor.Until(`!document.title.startsWith("(")`)
	visitor.Key("Escape")
	visitor.Until(`!shown($("dialog")) && root.activeElement === id("open-chat") && !shown(id("unread"))`)
	visitor.Key("Enter")
	visitor.Until(`shown($("dialog")) && root.activeElement === id("chat-input")`)
}

// switches is how often the page says that it has switched.
func (p *tab) switches() int {
	p.t.Helper()
	return ask[int](p, `Number(id("state").dataset.switches)`)
}

// With nothing left to switch to, both are told; what is written meanwhile arrives afterwards.
func losesTheDeployment(t *testing.T, shop *shop, visitor, operator *tab) {
	before := operator.switches()
	shop.stop()
	visitor.Until(`shown(id("notice")) && id("notice").textContent.includes("nothing is lost") && id("state").dataset.state === "reconnecting" && id("state").textContent === "Reconnecting…"`)
	operator.Until(`id("state").textContent.includes("reconnecting since")`)
	visitor.Enter("Still there?")
	visitor.Key("Enter")
	visitor.says("Still there?", "sending")
	shop.start()
	visitor.Until(`!shown(id("notice")) && id("state").dataset.state === "live"`)
	operator.says("Still there?", "")
	visitor.says("Still there?", "delivered")
	operator.Until(`Number(id("state").dataset.gap) > 0 && id("state").dataset.switches === "%d" && /live on primary.*\d+ ms gap, primary → primary, \d+:\d\d/.test(id("state").textContent)`, before+1)
	visitor.Until(`id("state").textContent === "We are here to help"`)
}

// A deployment tells everybody who comes back that the conversation is closed; it is said once.
func endsForGood(shop *shop, visitor, operator *tab) {
	const notes = `$$("[data-testid=note]").filter((n) => shown(n)).length === %d`
	before := ask[int](visitor, `$$("[data-testid=note]").length`)
	operator.Click("[data-testid=end-conversation]")
	visitor.Until(notes, before+1)
	there, here := visitor.switches(), operator.switches()
	shop.stop()
	visitor.Until(`id("state").dataset.state === "reconnecting"`)
	shop.start()
	visitor.Until(`id("state").dataset.switches === "%d" && id("state").dataset.state === "live"`, there+1)
	operator.Until(`id("state").dataset.switches === "%d" && id("end-conversation").disabled`, here+1)
	visitor.Until(notes, before+1)
	operator.Until(notes, 2)
}
