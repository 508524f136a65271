package pages_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/livens/livens/livechat/chromium"
)

func TestMain(m *testing.M) { chromium.Main(m) }

// tab is somebody's page.
type tab struct {
	*chromium.Tab
	t *testing.T
}

func newTab(t *testing.T) *tab { return &tab{chromium.NewTab(t), t} }

// ask evaluates an expression on the page.
func ask[V any](p *tab, expression string) V {
	p.t.Helper()
	return chromium.Ask[V](p.Tab, expression)
}

// goesOnWriting makes the page think that somebody keeps typing in that box, until the function that it returns is called.
func (p *tab) goesOnWriting(testid string) (stop func()) {
	p.t.Helper()
	timer := ask[int](p, "setInterval(() => id("+chromium.Quoted(testid)+").dispatchEvent(new Event('input')), 200)")
	return func() { p.Run(chromedp.Evaluate(fmt.Sprintf("clearInterval(%d)", timer), nil)) }
}
