package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/livens/livens/livechat/rig"
)

// actor is one process, the paths to it, and what was done to it.
type actor struct {
	Name, Site string
	paths      []*rig.Path
	launch     func(context.Context) (running, error)

	acting sync.Mutex // held while something is done to it
	mu     sync.Mutex
	run    running // nil: killed
	frozen bool
}

// running is a process.
type running interface {
	Kill()         // as kill -9 does
	Freeze() error // SIGSTOP: its kernel accepts, and nobody answers
	Thaw() error
}

// What can be done to an actor.
const (
	doKill   = "kill"
	doStop   = "stop"
	doCut    = "cut"    // a black hole
	doRevive = "revive" // whatever makes it whole
)

// act does it and returns when it is done.
func (a *actor) act(ctx context.Context, what string) error {
	a.acting.Lock()
	defer a.acting.Unlock()
	run, _ := a.now()
	switch what {
	case doKill:
		a.kill()
		return nil
	case doStop:
		if run == nil {
			return fmt.Errorf("%s does not run: revive it first", a.Name)
		}
		a.set(run, true)
		return run.Freeze()
	case doCut:
		a.swallow(true)
		return nil
	case doRevive:
		return a.revive(ctx, run)
	}
	return fmt.Errorf("%q can not be done to %s", what, a.Name)
}

func (a *actor) revive(ctx context.Context, run running) error {
	a.swallow(false)
	if run != nil {
		a.set(run, false)
		return run.Thaw()
	}
	run, err := a.launch(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", a.Name, err)
	}
	a.set(run, false)
	return nil
}

func (a *actor) now() (running, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.run, a.frozen
}

func (a *actor) set(run running, frozen bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.run, a.frozen = run, frozen
}

func (a *actor) swallow(yes bool) {
	for _, p := range a.paths {
		p.Swallow(yes)
	}
}

func (a *actor) kill() {
	if run, _ := a.now(); run != nil {
		run.Kill()
	}
	a.set(nil, false)
}

// condition is what was done to it, in words.
func (a *actor) condition() string {
	run, frozen := a.now()
	switch {
	case run == nil:
		return "killed"
	case frozen:
		return "stopped"
	case len(a.paths) > 0 && a.paths[0].Swallows():
		return "black hole"
	}
	return "running"
}

// end ends it and its paths.
func (a *actor) end() {
	a.acting.Lock()
	defer a.acting.Unlock()
	a.kill()
	for _, p := range a.paths {
		p.Close()
	}
}
