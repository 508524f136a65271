package drill_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/livens/livens/internal/process"
)

// browser is a Chromium process. Visitors and operators are pages in browser contexts of their own, which share nothing:
// no storage, no connections, no DNS cache.
type browser struct {
	ctx     context.Context
	close   context.CancelFunc
	process *process.Process
	dir     string
}

// browserLimit is from start to ready, on a busy machine.
const browserLimit = 60 * time.Second

// browserFlags make it the browser of a person who looks at every window, none of which gets less of the machine than another,
// without a sandbox (drills run as root).
var browserFlags = []string{
	"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio",
	"--disable-renderer-backgrounding", "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-default-browser-check",
	"--remote-debugging-port=0",
}

// startBrowser starts one with further flags. With enter it runs elsewhere, as for process.Start, and dial reaches a
// port of its loopback interface from here; else both are nil. wrap are a program and arguments that are to run it.
func startBrowser(flags []string, enter func() error, dial func(port string) (net.Conn, error), wrap ...string) (*browser, error) {
	dir, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return nil, err
	}
	b := &browser{dir: dir}
	args := append(append(append(wrap, "chromium", "--user-data-dir="+dir), browserFlags...), flags...)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(args[0], append(args[1:], "about:blank")...)
	cmd.Stdout, cmd.Stderr = log, log
	if b.process, err = process.Start(cmd, enter); err != nil {
		return nil, fmt.Errorf("chromium: %w (scripts/test-tools.sh installs it)", err)
	}
	if err := b.connect(dial); err != nil {
		said, _ := os.ReadFile(log.Name())
		b.end()
		return nil, fmt.Errorf("chromium: %w\n%s", err, said)
	}
	return b, nil
}

// connect waits for the DevTools port and opens a connection to it.
func (b *browser) connect(dial func(port string) (net.Conn, error)) error {
	var port, path string
	err := b.process.Await(context.Background(), browserLimit, func() error {
		text, err := os.ReadFile(filepath.Join(b.dir, "DevToolsActivePort"))
		if err != nil {
			return err
		}
		var whole bool
		port, path, whole = strings.Cut(strings.TrimSpace(string(text)), "\n")
		if !whole {
			return fmt.Errorf("half a file: %q", text)
		}
		return nil
	})
	if err != nil {
		return err
	}
	addr := "127.0.0.1:" + port
	if dial != nil {
		if addr, err = forward(func() (net.Conn, error) { return dial(port) }); err != nil {
			return err
		}
	}
	allocator, cancel := chromedp.NewRemoteAllocator(context.Background(), "ws://"+addr+path, chromedp.NoModifyURL)
	ctx, done := chromedp.NewContext(allocator, chromedp.WithBrowserOption(chromedp.WithDialTimeout(browserLimit)))
	b.ctx, b.close = ctx, func() { done(); cancel() }
	return chromedp.Run(ctx)
}

// forward has a port of this process's loopback lead elsewhere.
func forward(dial func() (net.Conn, error)) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			if far, err := dial(); err == nil {
				go copyBoth(near, far)
			} else {
				near.Close()
			}
		}
	}()
	return listener.Addr().String(), nil
}

func (b *browser) end() {
	if b.ctx != nil {
		b.close()
	}
	b.process.End(syscall.SIGTERM)
	os.RemoveAll(b.dir)
}

// tab is a page in a browser context of its own; it goes when the test ends.
type tab struct {
	t       testing.TB
	ctx     context.Context
	context cdp.BrowserContextID
	target  target.ID
	browser *browser
}

// tab opens an empty one.
func (b *browser) tab(t testing.TB) *tab {
	t.Helper()
	x := b.blank(t)
	x.attach()
	return x
}

// blank has an empty one opened, and does not wait until it is: that takes a second.
func (b *browser) blank(t testing.TB) *tab {
	t.Helper()
	x := &tab{t: t, browser: b}
	x.must(chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		whole := cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser)
		if x.context, err = target.CreateBrowserContext().WithDisposeOnDetach(true).Do(whole); err != nil {
			return err
		}
		x.target, err = target.CreateTarget("about:blank").WithBrowserContextID(x.context).WithNewWindow(true).Do(whole)
		return err
	})))
	t.Cleanup(func() {
		_ = chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) error { // what is left goes with the browser
			return target.DisposeBrowserContext(x.context).Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
		}))
	})
	return x
}

func (x *tab) attach() {
	x.t.Helper()
	ctx, cancel := chromedp.NewContext(x.browser.ctx, chromedp.WithTargetID(x.target))
	x.ctx = ctx
	x.t.Cleanup(cancel)
	x.run()
}

func (x *tab) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// pageLimit is how long one thing may take that a page is asked to do.
const pageLimit = 30 * time.Second

// run does things with the page, one after the other.
func (x *tab) run(actions ...chromedp.Action) {
	x.t.Helper()
	x.must(x.try(actions...))
}

func (x *tab) try(actions ...chromedp.Action) error {
	if len(actions) == 0 {
		return chromedp.Run(x.ctx) // the first one ties the target to its context: no time limit may end that
	}
	ctx, cancel := context.WithTimeout(x.ctx, pageLimit)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// value evaluates an expression in the page.
func value[T any](x *tab, expression string) T {
	x.t.Helper()
	var v T
	x.run(chromedp.Evaluate(expression, &v, awaited))
	return v
}

// sibling opens an empty tab in the same window: the first is hidden from now on.
func (b *browser) sibling(of *tab) *tab {
	of.t.Helper()
	x := &tab{t: of.t, browser: b, context: of.context}
	x.must(chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		x.target, err = target.CreateTarget("about:blank").WithBrowserContextID(x.context).Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
		return err
	})))
	x.attach()
	return x
}

// awaited has an expression that is a promise stand for what it becomes.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
