package main

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/livens/livens/failover"
)

//go:embed page
var files embed.FS

// handler serves the demo's page, what it shows, and what its buttons do.
func handler(c *cast, w *watch) http.Handler {
	mux := http.NewServeMux()
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // it is embedded
	}
	mux.Handle("GET /", http.FileServerFS(page))
	mux.HandleFunc("GET /state", func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		out.Header().Set("Cache-Control", "no-store")
		if doc := w.last.Load(); doc != nil {
			_, _ = out.Write(*doc) // a page that went away is no news
		} else {
			_, _ = out.Write([]byte("{}"))
		}
	})
	mux.HandleFunc("POST /act", func(out http.ResponseWriter, r *http.Request) {
		if err := c.act(r.Context(), r.FormValue("who"), r.FormValue("do")); err != nil {
			http.Error(out, err.Error(), http.StatusConflict)
		}
	})
	// Other web sites may not press the buttons.
	return http.NewCrossOriginProtection().Handler(mux)
}

// What can be ordered besides what is done to processes.
const (
	doMove = "move" // a planned switch to this deployment
	doFree = "free" // its order ends: the preferred deployment gets traffic back
)

func (c *cast) act(ctx context.Context, who, what string) error {
	if what == doMove || what == doFree {
		return c.order(ctx, who, what)
	}
	for _, a := range c.actors() {
		if a.Name == who {
			return a.act(context.WithoutCancel(ctx), what) // a page that is closed does not undo it
		}
	}
	return errors.New("nobody is called " + who)
}

// orderLimit is how long a nameserver may take with an order.
const orderLimit = 2 * time.Second

// order gives it to the first nameserver that takes it.
func (c *cast) order(ctx context.Context, to, what string) error {
	o := failover.Order{Verb: failover.DoFailover, Pool: poolName, Deployment: to, Who: "demo", Why: "planned work"}
	if what == doFree {
		o = failover.Order{Verb: failover.DoFailback, Pool: poolName, Who: "demo"}
	}
	err := errors.New("no nameserver runs")
	for _, n := range c.nameservers {
		process := n.process()
		if process == nil || n.condition() == "stopped" {
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, orderLimit)
		_, err = process.Client.Order(bounded, o)
		cancel()
		if err == nil {
			return nil
		}
	}
	return err
}
