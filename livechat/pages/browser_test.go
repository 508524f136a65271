package pages_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for what must come. A test that passes waits for a small part of it.
const patience = 60 * time.Second

var (
	chromium    context.Context
	startOnce   sync.Once
	endChromium = func() {}
)

func TestMain(m *testing.M) {
	code := m.Run()
	endChromium()
	os.Exit(code)
}

// browser is one Chromium for all tests, with a fresh profile.
func browser(t *testing.T) context.Context {
	t.Helper()
	startOnce.Do(func() { chromium = startChromium(t) })
	if chromium == nil {
		t.Fatal("Chromium did not start; the first test that needed it says why")
	}
	return chromium
}

func startChromium(t *testing.T) context.Context {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the pages are tested in Chromium: install the package chromium")
	}
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(path), chromedp.UserDataDir(profile),
		chromedp.WSURLReadTimeout(patience), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, _ := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {})) // it complains of events newer than itself
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	endChromium = func() {
		_ = chromedp.Cancel(ctx) // it writes to its profile until it is gone
		cancel()
		_ = os.RemoveAll(profile)
	}
	return ctx
}

// tab is a page in a browser context of its own: another person, with storage of their own.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu   sync.Mutex
	woes []string // what the page's console complained of
}

func newTab(t *testing.T) *tab {
	t.Helper()
	browser := browser(t)
	executor := chromedp.FromContext(browser).Browser
	var id target.ID
	err := chromedp.Run(browser, chromedp.ActionFunc(func(ctx context.Context) error {
		ctx = cdp.WithExecutor(ctx, executor)
		person, err := target.CreateBrowserContext().Do(ctx)
		if err != nil {
			return err
		}
		id, err = target.CreateTarget("about:blank").WithBrowserContextID(person).WithNewWindow(true).Do(ctx)
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithTargetID(id))
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, p.listen)
	// The first Run ties the tab to its context, which therefore must not end soon.
	if err := chromedp.Run(ctx, log.Enable()); err != nil {
		t.Fatal(err)
	}
	return p
}

// listen keeps what no page of ours may cause: exceptions, violations of its policy, files that are missing.
func (p *tab) listen(event any) {
	var woe string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		woe = e.ExceptionDetails.Error()
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError {
			woe = e.Entry.Text + " " + e.Entry.URL
		}
	}
	refused := strings.Contains(woe, "WebSocket connection to") || strings.Contains(woe, "net::ERR_CONNECTION_REFUSED") ||
		strings.Contains(woe, "426 (Upgrade Required)") // the script asks first whether anybody is there
	if woe != "" && !refused { // a deployment that is down is no fault of the page
		p.mu.Lock()
		p.woes = append(p.woes, woe)
		p.mu.Unlock()
	}
}

func (p *tab) content(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, woe := range p.woes {
		t.Errorf("the page's console: %s", woe)
	}
}

func (p *tab) run(actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// size makes it a desktop's window, or a phone, light or dark.
func (p *tab) size(width, height int64, scheme string) {
	p.t.Helper()
	p.run(emulation.SetDeviceMetricsOverride(width, height, 1, width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}))
}

// finders are known to every expression: $ finds an element on the page or inside the chat widget, $$ all of them.
const finders = `const root = document.querySelector("livens-chat")?.shadowRoot;
const $$ = (css) => [...(root?.querySelectorAll(css) ?? []), ...document.querySelectorAll(css)];
const $ = (css) => $$(css)[0];
const id = (name) => $("[data-testid=" + name + "]");
const shown = (e) => Boolean(e?.checkVisibility({ visibilityProperty: true }));
`

// ask evaluates an expression and decodes its value, which may be a promise's.
func ask[V any](p *tab, expression string) V {
	p.t.Helper()
	var out V
	p.run(chromedp.Evaluate("(async () => {"+finders+"return "+expression+"})()", &out, func(e *runtime.EvaluateParams) *runtime.EvaluateParams {
		return e.WithAwaitPromise(true)
	}))
	return out
}

// until waits until an expression is true. The page's policy forbids to compile strings, so chromedp.Poll does not work there.
func (p *tab) until(format string, values ...any) {
	p.t.Helper()
	condition := fmt.Sprintf(format, values...)
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Evaluate("new Promise((done) => {"+finders+"const look = () => ("+condition+") ? done(true) : setTimeout(look, 10); look()})", nil,
		func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	if err != nil {
		p.t.Fatalf("waiting for %s: %v\nthe page says:\n%s", condition, err, ask[string](p, `(root ? $("dialog")?.innerText : "") + "\n" + document.body.innerText`))
	}
}

// click clicks where the element is on the screen, as a mouse does.
func (p *tab) click(css string) {
	p.t.Helper()
	p.until("shown($(%s))", quoted(css))
	at := ask[[2]float64](p, "(() => { const e = $("+quoted(css)+"); e.scrollIntoView({ block: 'nearest', behavior: 'instant' }); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()")
	p.run(chromedp.MouseClickXY(at[0], at[1]))
}

// enter types into whatever has the focus.
func (p *tab) enter(text string) {
	p.t.Helper()
	p.run(input.InsertText(text))
}

// goesOnWriting makes the page think that somebody keeps typing in that box, until the function that it returns is called.
func (p *tab) goesOnWriting(testid string) (stop func()) {
	p.t.Helper()
	timer := ask[int](p, "setInterval(() => id("+quoted(testid)+").dispatchEvent(new Event('input')), 200)")
	return func() { p.run(chromedp.Evaluate(fmt.Sprintf("clearInterval(%d)", timer), nil)) }
}

// key presses a key, such as "Enter", with modifiers.
func (p *tab) key(name string, modifiers ...input.Modifier) {
	p.t.Helper()
	sum := input.ModifierNone
	for _, m := range modifiers {
		sum |= m
	}
	codes := map[string]int64{"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "Tab": 9}
	down := input.DispatchKeyEvent(input.KeyDown).WithKey(name).WithCode(name).WithModifiers(sum).WithWindowsVirtualKeyCode(codes[name])
	if name == "Enter" {
		down = down.WithText("\r")
	}
	p.run(down, input.DispatchKeyEvent(input.KeyUp).WithKey(name).WithCode(name).WithModifiers(sum).WithWindowsVirtualKeyCode(codes[name]))
}

func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(out)
}
