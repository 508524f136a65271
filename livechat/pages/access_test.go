package pages_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// faults are what keeps people from using what is on the screen now: text that hardly stands out, targets too small for a
// finger, one id given twice, a page that must be moved sideways. Contrast is measured as WCAG 2 does: 4.5 to 1, or 3 to 1
// for large text; what a canvas makes of a colour is what the browser paints.
const faults = `(() => {
	const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	const rgba = (colour) => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); const d = pen.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255] };
	const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
	const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
	const parent = (e) => e.assignedSlot ?? e.parentElement ?? e.getRootNode().host;
	const ground = (e) => { const layers = []; for (; e; e = parent(e)) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3]) layers.push(c); if (c[3] === 1) break }
		return layers.reduceRight((below, top) => over(top, below), rgba(matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#fff").slice(0, 3)) };
	const words = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
	const found = [];
	for (const e of $$("*")) {
		if (!e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || e.closest("svg, script, style, .aside")) continue;
		const style = getComputedStyle(e), box = e.getBoundingClientRect(), name = e.tagName.toLowerCase() + "." + e.className + " " + (e.textContent || e.placeholder || "").trim().slice(0, 30);
		if (words(e) || e.placeholder) {
			const below = ground(e), size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
			const text = over(rgba(getComputedStyle(e, e.placeholder && !e.value ? "::placeholder" : null).color), below);
			const [a, b] = [light(text), light(below)].sort((x, y) => y - x), contrast = (a + 0.05) / (b + 0.05);
			if (contrast < (large ? 3 : 4.5) && !e.disabled) found.push("contrast " + contrast.toFixed(2) + ": " + name);
		}
		if (e.matches("button, input:not([type=radio]), textarea, nav a") && (box.width < 24 || box.height < 24)) found.push("small, " + box.width + " x " + box.height + ": " + name);
	}
	for (const e of $$(".scroller, .inbox")) if (e.scrollWidth > e.clientWidth) found.push("its content is wider: " + e.className);
	for (const tree of [document, root].filter(Boolean)) {
		const ids = [...tree.querySelectorAll("[id]")].map((e) => e.id);
		for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push("id twice: " + id);
	}
	if (document.scrollingElement.scrollWidth > innerWidth) found.push("wider than the window: " + document.scrollingElement.scrollWidth);
	if (!document.documentElement.lang) found.push("no language");
	return found;
})()`

var named = []string{"button", "textbox", "link", "radio", "image", "dialog", "log", "navigation"}

// nameless are the roles of what the browser's accessibility tree has no name for, and "nothing" when the tree is empty.
func nameless(p *tab) []string {
	p.t.Helper()
	var out []string
	count := 0
	p.Run(chromedp.ActionFunc(func(ctx context.Context) error {
		nodes, err := accessibility.GetFullAXTree().Do(ctx)
		for _, node := range nodes {
			if node.Ignored || node.Role == nil {
				continue
			}
			var role, name string
			if node.Role.Value != nil {
				role = string(node.Role.Value)
			}
			if node.Name != nil {
				name = string(node.Name.Value)
			}
			if slices.Contains(named, unquoted(role)) {
				if count++; unquoted(name) == "" {
					out = append(out, role)
				}
			}
		}
		return err
	}))
	if count == 0 {
		return []string{"nothing"}
	}
	return out
}

// Every state that a visitor or an operator may see, in every size and scheme.
func TestEverybodyCanUseThePages(t *testing.T) {
	t.Parallel()
	shop := openShop(t)
	visitor, operator := newTab(t), newTab(t)
	visitor.Size(1280, 800, "light")
	operator.Size(1280, 800, "light")
	visitor.Run(chromedp.Navigate(shop.url))
	visitor.Until(`shown(id("open-chat"))`)
	operator.Run(chromedp.Navigate(shop.url + "/operator"))
	look(t, "the shop", visitor)
	visitor.Click(".buy")
	visitor.Size(390, 844, "light")
	visitor.Until(`$("#basket").textContent === "Basket (1)" && $("#basket").offsetHeight < 45`) // one line
	visitor.Size(1280, 800, "light")
	look(t, "signing in", operator)

	visitor.Click("[data-testid=open-chat]")
	visitor.Until(`shown(id("offline"))`)
	look(t, "nobody is there", visitor)
	visitor.Enter("Hello\n" + hostile + "/a/very/long/word/that/nobody/can/break/because/it/has/no/spaces/at/all/in/it")
	visitor.Key("Enter")
	operator = shop.operator()
	operator.Until(`shown(id("conversation"))`)
	look(t, "the list", operator)

	operator.Until(`document.activeElement !== id("operator-token")`)
	operator.Key("Escape")
	operator.Until(`document.activeElement === id("conversation")`)
	operator.Key("Enter")
	operator.Until(`shown(id("message")) && document.activeElement === id("operator-input")`)
	operator.Enter("Good morning")
	operator.Key("Enter")
	visitor.says("Good morning", "")
	look(t, "a conversation, the visitor", visitor)
	look(t, "a conversation, the operator", operator)
	visitor.Content(t)
	operator.Content(t)
}

func look(t *testing.T, state string, p *tab) {
	t.Helper()
	for _, width := range []int64{1280, 390} {
		for _, scheme := range []string{"light", "dark"} {
			p.Size(width, 844, scheme)
			for _, fault := range ask[[]string](p, faults) {
				t.Errorf("%s, %d wide, %s: %s", state, width, scheme, fault)
			}
			p.Shoot(fmt.Sprintf("%s, %d %s", state, width, scheme))
		}
		for _, role := range nameless(p) {
			t.Errorf("%s, %d wide: a screen reader has no name for: %s", state, width, role)
		}
	}
	p.Size(1280, 800, "light")
}

func unquoted(value string) string {
	var out string
	_, _ = fmt.Sscanf(value, "%q", &out) // what is no string has no name
	return out
}
