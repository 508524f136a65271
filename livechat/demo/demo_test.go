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
	page.Size(1440, 1150, "light")
	page.Run(chromedp.Navigate(s.url()))
	is := func(who, badge string) {
		page.Until(`$("[data-who=%s] .badge")?.textContent.startsWith(%q)`, who, badge)
	}
	press := func(who, what string) { page.Click("[data-who=" + who + "] button." + what) }
	is("primary", "live")
	is("redundant", "standby")
	for _, ns := range s.cast.nameservers {
		is(ns.Name, "hears 3 of 3")
	}
	page.Until(`$("iframe[data-of=shop]").src && $("iframe[data-of=operator]").src`)

	operator.Run(chromedp.Navigate(s.cast.site.url + "/enter"))
	operator.Until(`id("state")?.dataset.state === "live"`)
	visitor.Run(chromedp.Navigate(s.cast.site.url))
	visitor.Click("[data-testid=open-chat]")
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
		press("primary", doRevive)
		is("primary", "live") // once both hold the same
	}
	press("redundant", doMove)
	is("redundant", "live")
	press("primary", doFree)
	is("primary", "live")

	press("ns3", doKill)
	is("ns3", "killed")
	is("ns1", "hears 2 of 3")
	say("written without ns3")
	press("ns3", doRevive)
	is("ns3", "hears 3 of 3")
	press("ns2", doStop)
	is("ns2", "stopped")
	is("ns1", "hears 2 of 3")
	press("ns2", doRevive)
	is("ns2", "hears 3 of 3")
	press("ns2", doCut)
	page.Until(`$("[data-who=ns2] .what").textContent === "does not answer"`)
	press("ns2", doRevive)
	page.Until(`$("[data-who=ns2] .what").textContent.startsWith("answers primary")`)
	page.Until(`document.querySelectorAll("#switches time").length >= 8`)
	page.Content(t)
	for _, width := range []int64{1440, 390} {
		page.Size(width, 1150, "light")
		page.Shoot(fmt.Sprint("demo ", width))
	}
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
