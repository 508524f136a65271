package pages_test

import (
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
	p.until("shown("+bubble+") && (!%s || "+bubble+".dataset.mark === %s)", quoted(text), quoted(mark), quoted(text), quoted(mark))
}

// One conversation from its first message to its end, each step as the two people see it.
func TestAConversation(t *testing.T) {
	t.Parallel()
	shop := openShop(t)
	visitor, operator := newTab(t), newTab(t)
	visitor.size(1280, 800, "light")
	operator.size(1280, 800, "light")

	leavesAMessage(t, shop, visitor)
	signsIn(t, shop, operator)
	answers(t, visitor, operator)
	writesHTML(t, visitor, operator)
	endsAndGoesOn(t, visitor, operator)
	readsLater(t, visitor, operator)
	losesTheDeployment(t, shop, visitor, operator)
	endsForGood(shop, visitor, operator)
	for _, p := range []*tab{visitor, operator} {
		p.content(t)
		if !ask[bool](p, `(() => { try { document.createElement("p").innerHTML = "<b>x</b>"; return false } catch (e) { return e instanceof TypeError } })()`) {
			t.Error("the browser lets the page make markup of a string")
		}
	}
}

func leavesAMessage(t *testing.T, shop *shop, visitor *tab) {
	visitor.run(chromedp.Navigate(shop.url))
	visitor.until(`shown(id("open-chat"))`)
	if state := ask[string](visitor, `id("state").dataset.state`); state != "idle" {
		t.Errorf("a visitor who did not open the chat is %q, want idle: no connection", state)
	}
	visitor.click("[data-testid=open-chat]")
	visitor.until(`id("state").dataset.state === "live" && id("state").dataset.deployment === "primary"`)
	visitor.until(`shown(id("offline")) && id("offline").textContent.includes("we answer by 10 on the next working day")`)
	if !ask[bool](visitor, `root.activeElement === id("chat-input")`) {
		t.Error("the box has not got the focus when the chat opens")
	}
	visitor.click("[data-testid=chat-name]")
	visitor.enter("Ada")
	visitor.click("[data-testid=chat-input]")
	visitor.until(`id("state").dataset.state === "live"`)
	visitor.enter("Is anybody there?")
	visitor.key("Enter")
	visitor.says("Is anybody there?", "safe")
	if ask[bool](visitor, `shown(id("chat-name"))`) || ask[string](visitor, `id("chat-input").value`) != "" {
		t.Error("after the first message: the name can still be changed, or the box is not empty")
	}
}

func signsIn(t *testing.T, shop *shop, operator *tab) {
	operator.run(chromedp.Navigate(shop.url + "/operator"))
	operator.until(`document.readyState === "complete"`)
	operator.click("[data-testid=operator-name]")
	operator.enter("Ann")
	operator.click("[data-testid=operator-token]")
	operator.enter("a guess")
	operator.key("Enter")
	operator.until(`id("login-problem").textContent.includes("does not accept this token")`)
	operator.run(chromedp.Evaluate(`document.querySelector("#token").value = ""`, nil))
	operator.click("[data-testid=operator-token]")
	operator.enter(token)
	operator.click("[data-testid=operator-login]")
	operator.until(`shown(id("conversation")) && id("conversation").dataset.unread === "1"`)
	operator.until(`document.title.startsWith("(1) ") && $("link[rel=icon]").href.endsWith("/favicon-unread.svg")`)
	operator.until(`id("conversation").textContent.includes("Ada") && id("conversation").textContent.includes("Is anybody there?") && id("conversation").textContent.includes("waiting")`)
	operator.until(`id("state").textContent.includes("live on primary")`)
	if stored := ask[[]string](operator, `[sessionStorage.getItem("operator-token"), JSON.stringify(localStorage)]`); stored[0] != token || len(stored[1]) > 200 {
		t.Errorf("the token is kept for this tab only: sessionStorage %q, localStorage %s", stored[0], stored[1])
	}
}

func answers(t *testing.T, visitor, operator *tab) {
	visitor.until(`!shown(id("offline")) && id("state").textContent === "We are here to help"`)
	operator.click("[data-testid=conversation]")
	operator.says("Is anybody there?", "")
	operator.until(`id("conversation").dataset.unread === "0" && !document.title.startsWith("(")`)
	visitor.says("Is anybody there?", "delivered")
	operator.enter("Yes, ")
	stop := operator.goesOnWriting("operator-input")
	visitor.until(`shown(id("typing")) && id("typing").textContent.includes("is typing")`)
	stop()
	operator.key("Enter", input.ModifierShift)
	operator.enter("good morning")
	operator.key("Enter")
	visitor.says("Yes, \ngood morning", "")
	visitor.until(`!shown(id("typing"))`)
	operator.says("Yes, \ngood morning", "delivered")
	if who := ask[string](visitor, `$$("[data-from=operator] .who")[0].textContent`); who != "Ann" {
		t.Errorf("the visitor reads an answer of %q, want Ann", who)
	}
}

func writesHTML(t *testing.T, visitor, operator *tab) {
	visitor.enter(hostile)
	stop := visitor.goesOnWriting("chat-input")
	operator.until(`shown(id("typing")) && id("typing").textContent.includes("Ada is typing") && id("conversation").textContent.includes("is typing")`)
	stop()
	visitor.click("[data-testid=chat-send]")
	operator.says(hostile, "")
	operator.click("[data-testid=operator-input]")
	operator.enter(hostile + "!")
	operator.click("[data-testid=operator-send]")
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
	operator.click("[data-testid=end-conversation]")
	visitor.until(`$$("[data-testid=note]").some((n) => n.textContent.includes("closed. Write again"))`)
	operator.until(`id("conversation").textContent.includes("ended") && id("end-conversation").disabled`)
	visitor.click("[data-testid=chat-input]")
	visitor.enter("One more thing")
	visitor.key("Enter")
	operator.says("One more thing", "")
	operator.until(`!id("end-conversation").disabled && id("conversation").textContent.includes("waiting")`)
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
	visitor.run(chromedp.Reload())
	visitor.until(`id("state")?.dataset.state === "live" && $$("[data-testid=message]").length === 5 && !shown(id("unread"))`)
	operator.click("[data-testid=operator-input]")
	operator.enter("Of course")
	operator.key("Enter")
	visitor.until(`shown(id("unread")) && id("unread").textContent === "1" && document.title.startsWith("(1) ")`)
	visitor.until(`id("open-chat").getAttribute("aria-label") === "Chat with us, 1 new message"`)
	visitor.click("[data-testid=open-chat]")
	visitor.says("Of course", "")
	visitor.until(`!document.title.startsWith("(")`)
	visitor.key("Escape")
	visitor.until(`!shown($("dialog")) && root.activeElement === id("open-chat") && !shown(id("unread"))`)
	visitor.key("Enter")
	visitor.until(`shown($("dialog")) && root.activeElement === id("chat-input")`)
}

// With nothing left to switch to, both are told; what is written meanwhile arrives afterwards.
func losesTheDeployment(t *testing.T, shop *shop, visitor, operator *tab) {
	shop.stop()
	visitor.until(`shown(id("notice")) && id("notice").textContent.includes("nothing is lost") && id("state").dataset.state === "reconnecting"`)
	operator.until(`id("state").textContent.includes("reconnecting since")`)
	visitor.enter("Still there?")
	visitor.key("Enter")
	visitor.says("Still there?", "sending")
	shop.start()
	visitor.until(`!shown(id("notice")) && id("state").dataset.state === "live"`)
	operator.says("Still there?", "")
	visitor.says("Still there?", "delivered")
	operator.until(`Number(id("state").dataset.gap) > 0 && id("state").dataset.switches === "1" && id("state").textContent.includes("last switch")`)
}

// A deployment tells everybody who comes back that the conversation is closed; it is said once.
func endsForGood(shop *shop, visitor, operator *tab) {
	const notes = `$$("[data-testid=note]").filter((n) => shown(n)).length === %d`
	before := ask[int](visitor, `$$("[data-testid=note]").length`)
	operator.click("[data-testid=end-conversation]")
	visitor.until(notes, before+1)
	shop.stop()
	visitor.until(`id("state").dataset.state === "reconnecting"`)
	shop.start()
	visitor.until(`id("state").dataset.switches === "2" && id("state").dataset.state === "live"`)
	operator.until(`id("state").dataset.switches === "2" && id("end-conversation").disabled`)
	visitor.until(notes, before+1)
	operator.until(notes, 2)
}
