package main

import (
	"context"
	"fmt"

	"github.com/livens/livens/zones"
)

type delegation struct{}

type delegatedZone struct{ Zone string }

const (
	severe = 1
	unwise = 2
)

func newDelegation(string) (*delegation, error)                         { return nil, fmt.Errorf("x") }
func (d *delegation) check(context.Context, *zones.Set) []delegatedZone { return nil }
func (d *delegatedZone) count(int) int                                  { return 0 }
func (p *printer) delegated(*delegatedZone)                             {}
