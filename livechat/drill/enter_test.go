package drill_test

import (
	"fmt"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// options are the script's, as a page of one role would have them.
func (w *world) options(role string) map[string]any {
	service := w.plan.dns
	if service == "" {
		service = "ws://" + w.fronts[role].addr() + "/chat"
	}
	var deployments []map[string]any
	for _, d := range w.all() {
		deployments = append(deployments, map[string]any{"id": d.name, "urls": []string{d.url(role)}})
	}
	timing := w.plan.timing
	if timing == nil {
		timing = map[string]int{}
	}
	return map[string]any{"pool": poolName, "url": service, "deployments": deployments, "moderators": w.moderatorURLs(), "timing": timing}
}

// chat are the script's options for one who chats.
func (w *world) chat(role, name string) map[string]any {
	options := w.options(role)
	options["role"], options["name"] = role, name
	if role == operatorRole {
		options["token"] = operatorToken
	}
	return options
}

const (
	visitorRole  = "visitor"
	operatorRole = "operator"
)

// manners are how most talk: three times a second: with what is sent again after a switch, nearly as much as a deployment
// takes of one client.
func (w *world) manners(role string, names ...string) manners {
	m := manners{Role: role, Talk: !w.plan.idle, Least: 250, Most: 350, Seed: w.plan.seed}
	for i, name := range names {
		chat := w.chat(role, name)
		if len(names) > 1 {
			chat["key"] = fmt.Sprintf("drill-%08x-%022d", w.plan.seed, i)
		}
		m.Speakers = append(m.Speakers, speaker{Name: name, Own: len(names) > 1, Chat: chat})
	}
	return m
}

// enter has visitors and an operator open their pages, and waits until each side has been shown what the other says.
func (w *world) enter() {
	w.t.Helper()
	names := []string{"ada"}
	for i := 1; i < w.plan.visitors; i++ {
		names = append(names, fmt.Sprintf("ada%d", i))
	}
	w.operator = w.open(w.manners(operatorRole, "ann"))
	m := w.manners(visitorRole, names...)
	m.Allowed = w.visitorAllowed
	w.visitor = w.open(m)
	w.meet()
}

// meet waits until each side has been shown what the other says.
func (w *world) meet() {
	w.t.Helper()
	for _, p := range w.parties() {
		p.await("a welcome", time.Time{}, settleLimit, kind("ready"))
	}
	if w.plan.idle {
		w.visitor.round()
	}
	w.operator.await("a message of the visitor", time.Time{}, settleLimit, kind("got"))
	if w.plan.idle {
		w.operator.round()
	}
	w.visitor.await("a message of the operator", time.Time{}, settleLimit, kind("got"))
}

// round has the page's people say something once.
func (p *party) round() {
	p.t.Helper()
	p.run(chromedp.Evaluate("drill.round()", nil))
}

// talk has them go on, or be silent.
func (p *party) talk(on bool) {
	p.t.Helper()
	p.run(chromedp.Evaluate(fmt.Sprintf("drill.talking = %t", on), nil))
}

// leave closes the page.
func (p *party) leave() {
	p.t.Helper()
	p.run(evaluate("for (const s of drill.speakers) s.chat.close()"), page.Close())
}
