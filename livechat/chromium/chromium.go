// Package chromium drives Debian's Chromium for the tests of what people see: one browser for the tests of a package, and each
// person in a browser context of their own, which shares no storage with another's.
package chromium

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	threads "runtime"
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

// Patience is how long a test waits for what must come. A test that passes waits for a small part of it.
const Patience = 60 * time.Second

var (
	running     context.Context
	startOnce   sync.Once
	endChromium = func() {}
)

// Main runs the tests of a package, and ends the Chromium that they share.
func Main(m *testing.M) {
	code := m.Run()
	endChromium()
	os.Exit(code)
}

// browser is one Chromium for all tests, with a fresh profile.
func browser(t testing.TB) context.Context {
	t.Helper()
	startOnce.Do(func() { running = startChromium(t) })
	if running == nil {
		t.Fatal("Chromium did not start; the first test that needed it says why")
	}
	return running
}

func startChromium(t testing.TB) context.Context {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("what people see is tested in Chromium: install the package chromium")
	}
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(path), chromedp.UserDataDir(profile),
		chromedp.WSURLReadTimeout(Patience), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, _ := chromedp.NewContext(allocator, chromedp.WithBrowserOption(chromedp.WithDialTimeout(Patience)),
		chromedp.WithErrorf(func(string, ...any) {})) // it complains of events newer than itself
	// The kernel kills Chromium when the thread ends that started it, which any other goroutine may bring about that has the thread
	// next (process.Start does): so one has it for good.
	started := make(chan error)
	go func() {
		threads.LockOSThread()
		started <- chromedp.Run(ctx)
		select {}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	endChromium = func() {
		_ = chromedp.Cancel(ctx) // it writes to its profile until it is gone
		cancel()
		_ = os.RemoveAll(profile)
	}
	return ctx
}

// Tab is a page in a browser context of its own: another person, with storage of their own.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu   sync.Mutex
	woes []string // what the page's console complained of
}

// NewTab opens one, in the Chromium that all tests share.
func NewTab(t testing.TB) *Tab {
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
	p := &Tab{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, p.listen)
	// The first Run ties the tab to its context, which therefore must not end soon.
	if err := chromedp.Run(ctx, log.Enable()); err != nil {
		t.Fatal(err)
	}
	return p
}

// listen keeps what no page of ours may cause: exceptions, violations of its policy, files that are missing.
func (p *Tab) listen(event any) {
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

// Content fails the test for what the page complained of on its console.
func (p *Tab) Content(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, woe := range p.woes {
		t.Errorf("the page's console: %s", woe)
	}
}

// Run runs actions, within the time that a busy machine may need.
func (p *Tab) Run(actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// Size makes it a desktop's window, or a phone, light or dark.
func (p *Tab) Size(width, height int64, scheme string) {
	p.t.Helper()
	p.Run(emulation.SetDeviceMetricsOverride(width, height, 1, width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}))
}

// finders are known to every expression: $ finds an element on the page or inside the chat widget, $$ all of them.
const finders = `const root = document.querySelector("livens-chat")?.shadowRoot;
const $$ = (css) => [...(root?.querySelectorAll(css) ?? []), ...document.querySelectorAll(css)];
const $ = (css) => $$(css)[0];
const id = (name) => $("[data-testid=" + name + "]");
const shown = (e) => Boolean(e?.checkVisibility({ visibilityProperty: true }));
`

// Ask evaluates an expression and decodes its value, which may be a promise's.
func Ask[V any](p *Tab, expression string) V {
	p.t.Helper()
	var out V
	p.Run(chromedp.Evaluate("(async () => {"+finders+"return "+expression+"})()", &out, func(e *runtime.EvaluateParams) *runtime.EvaluateParams {
		return e.WithAwaitPromise(true)
	}))
	return out
}

// Until waits until an expression is true. The page's policy forbids to compile strings, so chromedp.Poll does not work there.
func (p *Tab) Until(format string, values ...any) {
	p.t.Helper()
	condition := fmt.Sprintf(format, values...)
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Evaluate("new Promise((done) => {"+finders+"const look = () => ("+condition+") ? done(true) : setTimeout(look, 10); look()})", nil,
		func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	if err != nil {
		p.t.Fatalf("waiting for %s: %v\nthe page says:\n%s", condition, err, Ask[string](p, `(root ? $("dialog")?.innerText : "") + "\n" + document.body.innerText`))
	}
}

// Click clicks where the element is on the screen, as a mouse does.
func (p *Tab) Click(css string) {
	p.t.Helper()
	p.Until("shown($(%s))", Quoted(css))
	at := Ask[[2]float64](p, "(() => { const e = $("+Quoted(css)+"); e.scrollIntoView({ block: 'nearest', behavior: 'instant' }); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()")
	p.Run(chromedp.MouseClickXY(at[0], at[1]))
}

// Enter types into whatever has the focus.
func (p *Tab) Enter(text string) {
	p.t.Helper()
	p.Run(input.InsertText(text))
}

// Key presses a key, such as "Enter", with modifiers.
func (p *Tab) Key(name string, modifiers ...input.Modifier) {
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
	p.Run(down, input.DispatchKeyEvent(input.KeyUp).WithKey(name).WithCode(name).WithModifiers(sum).WithWindowsVirtualKeyCode(codes[name]))
}

// Quoted is text as a literal of JavaScript.
func Quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(out)
}

// Shoot keeps a picture of what the window shows, as a PNG file of that name in the folder LIVENS_SCREENSHOTS; without one, none.
func (p *Tab) Shoot(name string) {
	p.t.Helper()
	folder := os.Getenv("LIVENS_SCREENSHOTS")
	if folder == "" {
		return
	}
	var picture []byte
	p.Run(chromedp.CaptureScreenshot(&picture))
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
