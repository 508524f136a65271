package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livens/livens/dnsserver"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
	"github.com/livens/livens/zones"
)

// reloader reads the configuration and hands it on. What has errors changes nothing but the report.
type reloader struct {
	path       string // of livens.toml
	loader     *zones.Loader
	controller *failover.Controller
	dns        *dnsserver.Server
	teller     *events.Teller
	moderator  *public // nil: there is none
	notices    *notices
	level      *slog.LevelVar
	log        *slog.Logger

	started *zones.Config   // what the process began with: some settings stay so until a restart
	life    context.Context // of the process: who asked for a reload may go away meanwhile
	first   context.Context // keepFirst's
	hurry   func()          // ends first
	mu      sync.Mutex      // one reload at a time
	running atomic.Pointer[zones.Config]
	seen    atomic.Pointer[string] // the files' fingerprint when they were last read
	last    atomic.Pointer[web.Reload]

	good    *zones.Config // the last sound livens.toml; nil: none was read by this process
	unkept  atomic.Bool   // the state folder lacks something that a later start may fall back on
	failing bool          // because it could not be written: a notice says so
}

// reading is livens.toml as it was read at one time.
type reading struct {
	config   *zones.Config
	problems zones.Problems
	stamp    string // the file's before it was read: a change meanwhile is a change
}

func readConfig(path string) reading {
	before := stamp(path)
	config, problems := zones.LoadConfig(path)
	return reading{config, problems, before}
}

// begin serves what was read for the first time. It reports whether there is anything to serve; if so, keepFirst follows.
func (r *reloader) begin(ctx context.Context, first reading) bool {
	r.started = first.config
	r.running.Store(first.config)
	r.life = ctx
	r.first, r.hurry = context.WithCancel(ctx)
	defer collectLess()()
	return r.read("start", first)
}

// keepFirst keeps for later starts what begin read: of many zones that takes long, and neither whoever asks waits for it nor a reload, which
// keeps the rest itself once the new zones are served.
func (r *reloader) keepFirst() {
	defer r.hurry()
	r.mu.Lock()
	defer r.mu.Unlock()
	if warnings := r.keep(r.first); len(warnings) > 0 {
		result := *r.last.Load()
		result.Problems = slices.Concat(result.Problems, warnings)
		r.last.Store(&result)
	}
	giveBack(0)
}

// reload reads everything again, and keeps it.
func (r *reloader) reload(cause string) *web.Reload {
	r.hurry()
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = notify(reloading()) // the manager's absence changes nothing
	defer func() { _ = notify("READY=1") }()
	again := readConfig(r.path)
	if len(again.problems.Errors()) > 0 {
		again.config = r.running.Load()
	}
	before := allocated()
	r.read(cause, again)
	giveBack(before)
	if r.life.Err() != nil {
		return &web.Reload{At: time.Now(), Cause: cause, Problems: zones.Problems{{Message: "livens is stopping: nothing was read"}}}
	}
	return r.last.Load()
}

// reloadIfChanged reads everything again when a file has changed since it was last read. Otherwise it tries to keep
// what could not be kept; a reload then tells that no warning is left of it.
func (r *reloader) reloadIfChanged() {
	switch {
	case fingerprint(r.running.Load(), stamp(r.path)) != *r.seen.Load():
		r.reload("file change")
	case r.unkept.Load() && r.keepAgain():
		r.reload("last good versions kept")
	}
}

// keepAgain says whether what could not be kept is by now.
func (r *reloader) keepAgain() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	failing := r.failing
	r.keep(context.Background())
	return failing && !r.unkept.Load()
}

// read loads the zones that livens.toml names and applies what is sound.
func (r *reloader) read(cause string, main reading) bool {
	config, problems := main.config, main.problems
	applied := r.keepStarted(config)
	now := fingerprint(applied, main.stamp) // before reading: a change meanwhile is a change
	r.seen.Store(&now)
	r.running.Store(applied)
	sound := len(problems.Errors()) == 0
	set, more := r.loader.Read(applied)
	problems = append(problems, more...)
	served := set != nil && len(set.Zones) > 0
	if served {
		r.dns.Prepare(set)
		if r.controller.Use(r.life, set) != nil {
			return false // the process is stopping
		}
	}
	r.cookies()
	r.moderator.reload()
	r.teller.Use(config.Hooks)
	_ = r.level.UnmarshalText([]byte(config.Log.Level)) // one of the four words
	if sound {
		r.good = applied
	}
	if started := r.last.Load() != nil; started { // otherwise keepFirst does
		problems = append(problems, r.keep(context.Background())...)
	}
	r.report(cause, config, problems)
	return served
}

// keepStarted is config with the settings of which only a restart takes note as they were at the start.
func (r *reloader) keepStarted(config *zones.Config) *zones.Config {
	applied := *config
	s := r.started
	applied.Name, applied.Listen, applied.State, applied.HTTP = s.Name, s.Listen, s.State, s.HTTP
	applied.DNS, applied.Checker, applied.Log.Format = s.DNS, s.Checker, s.Log.Format
	applied.Site, applied.Cluster, applied.Moderator = s.Site, s.Cluster, s.Moderator
	return &applied
}

// needRestart names the changed settings that wait for a restart.
func (r *reloader) needRestart(config *zones.Config) []string {
	now := config.DNS
	if now.NSID == config.Name && r.started.DNS.NSID == r.started.Name {
		now.NSID = r.started.DNS.NSID // not changed itself: it follows the name
	}
	var out []string
	for _, setting := range []struct {
		name        string
		now, before any
	}{
		{"name", config.Name, r.started.Name},
		{"listen", config.Listen, r.started.Listen},
		{"state", config.State, r.started.State},
		{"[http]", config.HTTP, r.started.HTTP},
		{"[dns]", now, r.started.DNS},
		{"[checker]", config.Checker, r.started.Checker},
		{"log.format", config.Log.Format, r.started.Log.Format},
		{"site", config.Site, r.started.Site},
		{"[moderator]", config.Moderator, r.started.Moderator},
		{"[cluster]", config.Cluster, r.started.Cluster},
	} {
		if !reflect.DeepEqual(setting.now, setting.before) {
			out = append(out, setting.name)
		}
	}
	return out
}

// cookies reads the cookie secrets. Those that cannot be read keep nobody from being answered.
func (r *reloader) cookies() {
	if err := r.dns.ReloadCookies(); err != nil {
		r.notices.raise(codeCookies, "DNS cookies", err.Error(),
			"the secrets read before stay in use, and random ones where there are none; correct the file")
		r.log.Error("cookie secrets stay as they were, or random", "error", err)
		return
	}
	r.notices.clear(codeCookies)
}

// report publishes how it went, in the status document, as alerts and in the log.
func (r *reloader) report(cause string, config *zones.Config, problems zones.Problems) {
	errs, warnings := problems.Errors(), problems.Warnings()
	result := &web.Reload{OK: len(errs) == 0, At: time.Now(), Cause: cause, Problems: problems, NeedRestart: r.needRestart(config)}
	before := r.last.Load()
	if before != nil {
		result.LastSuccess = before.LastSuccess
	}
	if result.OK {
		result.LastSuccess = result.At
	}
	r.last.Store(result)
	for _, p := range problems {
		switch {
		case before != nil && slices.Contains(before.Problems, p): // said when it was new
		case p.Warning:
			r.log.Warn("configuration", "problem", p.String())
		default:
			r.log.Error("configuration", "problem", p.String())
		}
	}
	if result.OK {
		r.notices.clear(codeConfigErrors)
		r.log.Info("configuration read", "cause", cause, "warnings", len(warnings))
	} else {
		r.notices.raise(codeConfigErrors, "configuration", summary(errs),
			"what was served before is served on; livens check shows all errors, livens status which zones are not what their files say")
		r.log.Error("configuration has errors: what was good before stays", "cause", cause, "errors", len(errs))
	}
	if len(result.NeedRestart) > 0 {
		r.notices.raise(codeNeedRestart, "configuration",
			"changed, and in force only after a restart: "+strings.Join(result.NeedRestart, ", "), "restart livens")
		r.log.Warn("these changed settings need a restart", "settings", result.NeedRestart)
	} else {
		r.notices.clear(codeNeedRestart)
	}
}

// keep sees to it that a later start may fall back on the zones that are served and on the last sound livens.toml. What
// it returns are warnings; ctx has ended when the process is stopping, or when someone else is to keep the rest, and nothing is said then.
func (r *reloader) keep(ctx context.Context) (warnings zones.Problems) {
	err := r.loader.Keep(ctx)
	if ctx.Err() != nil {
		r.unkept.Store(err != nil) // should nobody come to keep the rest, reloadIfChanged does
		return nil
	}
	if err != nil {
		warnings = zones.Problems{zones.StateProblem(r.started.State, err)}
	}
	if r.good != nil {
		err = errors.Join(err, zones.KeepConfig(r.good))
	}
	r.unkept.Store(err != nil)
	before := r.failing
	r.failing = err != nil
	switch {
	case err != nil:
		text := strings.ReplaceAll(err.Error(), "\n", "; ")
		r.notices.raise(codeUnkept, "a restart after a bad edit", text,
			fmt.Sprintf("free space or make %s writable; tried again every %v", r.started.State, pollEvery))
		if !before {
			r.log.Error("last good versions cannot be kept for a later start", "error", text)
		}
	case before:
		r.notices.clear(codeUnkept)
		r.log.Info("last good versions are kept again")
	}
	return warnings
}

func summary(errs zones.Problems) string {
	if len(errs) == 1 {
		return errs[0].String()
	}
	return fmt.Sprintf("%s; and %d more", errs[0], len(errs)-1)
}

// muchRead is how much memory, in octets, reading the zones must have taken for what is left of it to be given back at once.
const muchRead = 64 << 20

// giveBack gives memory back to the system if much was taken since allocated returned before. Otherwise it would go back
// over minutes, and be counted as livens' until then.
func giveBack(before uint64) {
	if allocated()-before > muchRead {
		debug.FreeOSMemory()
	}
}

// collectLess has garbage collected half as often until restore, unless the operator has chosen (GOGC): what is read at a start is mostly kept,
// so that looking for garbage takes a fifth of the time and finds little.
func collectLess() (restore func()) {
	const seldom = 200
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	usual := debug.SetGCPercent(seldom)
	return func() { debug.SetGCPercent(usual) }
}

// allocated is how much memory this process has ever taken, in octets.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
