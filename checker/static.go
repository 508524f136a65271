package checker

import "context"

// static is a check that always says the same.
type static struct{ up bool }

func (s static) probe(context.Context) Result {
	if s.up {
		return success("always up")
	}
	return failure("always down")
}
