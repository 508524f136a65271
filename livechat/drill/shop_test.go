package drill_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/livens/livens/internal/process"
)

// clientLines configure the script on the pages that deployments serve.
func (w *world) clientLines() string {
	if !w.plan.pages {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[client]\nurl = %q\nmoderators = [\"%s\"]\n", "ws://"+w.fronts[visitorRole].addr()+"/chat", strings.Join(w.moderatorURLs(), "\", \""))
	for _, d := range w.all() {
		fmt.Fprintf(&b, "[[client.deployment]]\nid = %q\nurls = [%q]\n", d.name, d.url(visitorRole))
	}
	return b.String()
}

// finders find elements on the page, or inside the chat that a shop has pasted into it.
const finders = `const all = (name) => [document.querySelector("livens-chat")?.shadowRoot, document].filter(Boolean)
  .flatMap((root) => [...root.querySelectorAll("[data-testid=" + name + "]")]);
const one = (name) => all(name)[0];
`

// look evaluates an expression on one of the product's pages.
func look[T any](x *tab, expression string) T {
	x.t.Helper()
	return value[T](x, "(() => {"+finders+"return "+expression+"})()")
}

// until waits until an expression is true there.
func (x *tab) until(format string, values ...any) {
	x.t.Helper()
	condition := fmt.Sprintf(format, values...)
	x.must(process.Await(x.t.Context(), followLimit, func() error {
		time.Sleep(lookPause)
		if !look[bool](x, "Boolean("+condition+")") {
			return fmt.Errorf("not yet: %s; the page says: %s", condition, look[string](x, "document.body.innerText"))
		}
		return nil
	}))
}

// lookPause is between two looks at a page.
const lookPause = 20 * time.Millisecond

// types writes into a field as a person does, and presses Enter.
func (x *tab) types(field, text string) {
	x.t.Helper()
	x.until("one(%q)", field)
	x.run(chromedp.Evaluate("(() => {"+finders+"one("+fmt.Sprintf("%q", field)+").focus()})()", nil), input.InsertText(text),
		input.DispatchKeyEvent(input.KeyDown).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13).WithText("\r"),
		input.DispatchKeyEvent(input.KeyUp).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13))
}

func (x *tab) click(name string) {
	x.t.Helper()
	x.until("one(%q)", name)
	x.run(chromedp.Evaluate("(() => {"+finders+"one("+fmt.Sprintf("%q", name)+").click()})()", nil))
}

// TestDrillChatShop (F9, F11): the pages that people see: a shop's with the chat button, and the operators' console, both
// served by the primary. It is killed in the middle of a conversation, which goes on under their eyes.
func TestDrillChatShop(t *testing.T) {
	drillEmpty(t, plan{pages: true}, func(w *world) row {
		shop := "http://" + w.primary.paths[visitorRole].addr()
		visitor, operator := w.browser.tab(t), w.browser.tab(t)
		visitor.run(chromedp.Navigate(shop + "/"))
		visitor.click("open-chat")
		visitor.types("chat-input", "Is this in stock?")
		operator.run(chromedp.Navigate(shop + "/operator"))
		operator.types("operator-name", "Ann")
		operator.types("operator-token", operatorToken)
		operator.click("conversation")
		operator.types("operator-input", "Yes, two of them.")
		visitor.until(`all("message").length === 2`)
		for _, x := range []*tab{visitor, operator} {
			x.until(`one("state").dataset.deployment === %q`, w.primary.name)
		}
		w.primary.kill()
		var f figures
		say := func(from *tab, field, text string, to *tab) {
			from.types(field, text)
			said := time.Now()
			to.until(`all("message").some((m) => m.innerText.includes(%q))`, text)
			f.slowest = max(f.slowest, time.Since(said))
		}
		say(visitor, "chat-input", "I take both.", operator)
		say(operator, "operator-input", "With pleasure.", visitor)
		for x, role := range map[*tab]string{visitor: visitorRole, operator: operatorRole} {
			x.until(`one("state").dataset.deployment === %q && one("state").dataset.switches === "1"`, w.redundant.name)
			x.until(`all("message").every((m) => m.dataset.from !== %q || m.dataset.mark === "delivered")`, role)
			f.gap = max(f.gap, time.Duration(look[float64](x, `Number(one("state").dataset.gap)`)*float64(time.Millisecond)))
			f = f.worse(shopTalk(look[[]string](x, `all("message").map((m) => m.innerText)`)))
		}
		if f.lost+f.doubled+f.swapped > 0 {
			t.Errorf("%v", f)
		}
		w.below(killedBound, f)
		if look[string](visitor, `String(Boolean(one("notice")?.checkVisibility()))`) == "true" {
			t.Error("the visitor is told of a switch that lasted a moment")
		}
		return row{what: "the shop's page and the console, killed", promised: promise(killedBound), figures: f}
	})
}

// shopTalk counts what one page shows of the conversation in the shop, of which each side wrote half.
func shopTalk(shown []string) figures {
	f, last := figures{sent: 2}, -1
	for _, text := range []string{"Is this in stock?", "Yes, two of them.", "I take both.", "With pleasure."} {
		var at []int
		for i, message := range shown {
			if strings.Contains(message, text) {
				at = append(at, i)
			}
		}
		switch {
		case len(at) == 0:
			f.lost++
			continue
		case at[0] < last:
			f.swapped++
		}
		f.doubled += len(at) - 1
		last = at[0]
	}
	return f
}
