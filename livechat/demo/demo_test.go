package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/livens/livens/livechat/chromium"
)

func TestMain(m *testing.M) { chromium.Main(m) }

// TestDemo is what somebody does who opens the demo: two people write to each other, every button is pressed, and what was
// written arrives.
func TestDemo(t *testing.T) {
	s, err := open(t.Context(), build(t, "../..", "./cmd/livens"), build(t, "..", "./cmd/livechat"), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	page, visitor, operator := chromium.NewTab(t), chromium.NewTab(t), chromium.NewTab(t)
	page.Size(1400, 900, "light")
	page.Run(chromedp.Navigate(s.url()))
	is := func(who, badge string) {
		page.Until(`$("[data-who=%s] .badge")?.textContent.startsWith(%q)`, who, badge)
	}
	press := func(who, what string) { page.Click("[data-who=" + who + "] button." + what) }
	is("primary", "live")
	is("redundant", "standby")
	for _, ns := range s.cast.nameservers {
		is(ns.Name, "hears 3/3")
	}
	page.Until(`$("iframe[data-of=shop]").src && $("iframe[data-of=operator]").src`)
	places := onOneScreen(page)

	operator.Run(chromedp.Navigate(s.cast.site.url + "/enter"))
	operator.Until(`id("state")?.dataset.state === "live"`)
	visitor.Run(chromedp.Navigate(chromium.Ask[string](page, `$("iframe[data-of=shop]").src`)))
	visitor.Until(`shown(id("chat-input"))`) // nobody had to open the chat
	say := func(text string) {
		t.Helper()
		visitor.Click("[data-testid=chat-input]")
		visitor.Enter(text)
		visitor.Click("[data-testid=chat-send]")
		operator.Until(`document.body.innerText.includes(%q)`, text)
	}
	say("Is the lamp in stock?")

	for _, fault := range []struct{ does, badge string }{{doKill, "killed"}, {doStop, "stopped"}, {doCut, "black hole"}} {
		press("primary", fault.does)
		is("primary", fault.badge)
		is("redundant", "live")
		page.Until(`document.querySelectorAll("[data-who=primary] .votes .down").length >= 2`)
		say("written after " + fault.does)
		stays(page, places)
		page.Shoot("demo 1400x900 primary " + fault.badge)
		remember(page)
		press("primary", doRevive)
		page.Until(`due.some((words) => /^primary gets traffic back in \d+ s/.test(words))`)
		is("primary", "live") // once both hold the same
	}
	// An order onto who has not got everything is refused.
	inStep := func(who string) { page.Until(`!$("[data-who=%s] .what").textContent.includes("Sync gate")`, who) }
	inStep("redundant")
	press("redundant", doMove)
	is("redundant", "live")
	inStep("primary")
	press("primary", doFree)
	is("primary", "live")
	stays(page, places)

	press("ns3", doKill)
	is("ns3", "killed")
	is("ns1", "hears 2/3")
	say("written without ns3")
	press("ns3", doRevive)
	is("ns3", "hears 3/3")
	press("ns2", doStop)
	is("ns2", "stopped")
	is("ns1", "hears 2/3")
	press("ns2", doRevive)
	is("ns2", "hears 3/3")
	press("ns2", doCut)
	page.Until(`$("[data-who=ns2] .what").textContent === "does not answer"`)
	press("ns2", doRevive)
	page.Until(`$("[data-who=ns2] .what").textContent.startsWith("answers primary")`)
	page.Until(`document.querySelectorAll("#switches time").length >= 8`)
	page.Until(`!/\d UTC/.test(document.body.innerText)`) // there is one clock, the reader's
	if words := chromium.Ask[string](page, `route({ from: "redundant", to: "redundant" })`); words != "stays on redundant" {
		t.Errorf("a switch that moves nobody is called %q", words)
	}
	inShort(page)
	page.Content(t)
}

// remember has the page keep, as due, what it says from now on of what time will change: that is there for five seconds, and on a busy machine
// the test may look later.
func remember(page *chromium.Tab) {
	page.Run(chromedp.Evaluate(`globalThis.due = [];
		globalThis.dueSeen ??= new MutationObserver(() => due.push(document.getElementById("pending").textContent));
		dueSeen.observe(document.getElementById("pending"), { childList: true })`, nil))
}

// onOneScreen fails the test unless a desktop's window, and a small laptop's, shows the cards and both frames without scrolling.
// It leaves the larger one, and returns where its buttons and frames are.
func onOneScreen(page *chromium.Tab) string {
	for _, size := range [][2]int64{{1280, 720}, {1400, 900}} {
		page.Size(size[0], size[1], "light")
		page.Until(`$$("iframe, .card, .card button").every((e) => { const r = e.getBoundingClientRect(); return r.top >= 0 && r.left >= 0 && r.bottom <= innerHeight && r.right <= innerWidth })`)
		page.Until(`$$("iframe").every((e) => e.getBoundingClientRect().height > innerHeight / 2)`)
		page.Until(`$$(".card, .card *").every((e) => e.scrollWidth <= e.clientWidth || !e.clientWidth)`) // nothing is cut off
		page.Shoot(fmt.Sprintf("demo %dx%d", size[0], size[1]))
	}
	return chromium.Ask[string](page, places)
}

const places = `JSON.stringify($$("iframe, .card, .card button").map((e) => { const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height] }))`

// stays waits until all that can be pressed or watched is where it was.
func stays(page *chromium.Tab, were string) {
	page.Until(places+" === %s", chromium.Quoted(were))
}

// inShort is what somebody does on a phone: breaks the live deployment with the chat in sight.
func inShort(page *chromium.Tab) {
	page.Size(390, 844, "light")
	page.Until(`$("iframe[data-of=shop]").getBoundingClientRect().bottom <= innerHeight / 2 + 80 && $("iframe[data-of=operator]").getBoundingClientRect().bottom <= innerHeight`)
	page.Until(`document.scrollingElement.scrollWidth <= innerWidth`)
	page.Shoot("demo 390x844")
	page.Run(chromedp.Evaluate(`scrollTo(0, document.body.scrollHeight)`, nil))
	page.Click(`#bar [aria-label="Kill primary"]`) // it is in sight wherever the page is scrolled to
	page.Until(`$("#bar").innerText.includes("killed") && $("[data-who=redundant]").classList.contains("live")`)
	page.Run(chromedp.Evaluate(`scrollTo(0, 0)`, nil))
	page.Shoot("demo 390x844 primary killed")
	page.Click(`#bar [aria-label="Revive primary"]`)
	page.Until(`$("[data-who=primary]").classList.contains("live")`)
}

// build builds a command and returns the binary.
func build(t *testing.T, dir, what string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), filepath.Base(what))
	cmd := exec.Command("go", "build", "-o", binary, what)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", what, err, out)
	}
	return binary
}
