package main

import (
	"context"
	"net/netip"
	"path/filepath"

	"github.com/livens/livens/livechat/rig"
)

// deployment is a livechat.
type deployment struct {
	actor
	cast        *cast
	Addr, Known netip.AddrPort // where it is, and where everybody finds it
}

// What livechat.toml asks for.

func (d *deployment) Dir() string    { return filepath.Join(d.cast.dir, d.Name) }
func (d *deployment) Root() string   { return d.cast.dir }
func (d *deployment) Cast() *cast    { return d.cast }
func (d *deployment) Origin() string { return d.cast.site.url }

// Other is the other deployment.
func (d *deployment) Other() *deployment {
	for _, other := range d.cast.deployments {
		if other != d {
			return other
		}
	}
	return nil
}

func (d *deployment) start(ctx context.Context) (running, error) {
	config, err := fill(deploymentText, d)
	if err != nil {
		return nil, err
	}
	return rig.Start(ctx, rig.Plan{Binary: d.cast.livechat, Dir: d.Dir(), Config: config, Addr: d.Addr})
}
