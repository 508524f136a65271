//go:build !linux

package durable

import "errors"

// syncFileSystem is Linux's.
func syncFileSystem(string) error { return errors.ErrUnsupported }
