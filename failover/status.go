package failover

import (
	"errors"
	"fmt"
	"time"

	"github.com/livens/livens/zones"
)

// Status is what an engine holds at one moment. It is immutable.
type Status struct {
	Set       *zones.Set // nil before the first
	Standing  Standing
	Stands    time.Time // since when Standing has had, or lacked, a quorum
	Decisions map[string]*Decision
	Overrides []Override        // those in force and those planned; of which some may have expired since
	Registers []Override        // all, as other nameservers are to know them
	Serials   map[string]uint32 // as published
	Given     []ZoneSerial      // the same, with what they were given for
	Waiting   int               // targets that never had a result
	ReadyBy   time.Time         // when the first Set's targets have had time for one
}

// Ready says whether answers rest on what was found out: every target had a result, or the time for one has passed.
// The error says what is waited for.
func (s *Status) Ready(now time.Time) error {
	switch {
	case s.Set == nil:
		return errors.New("no zones are loaded yet")
	case s.Waiting > 0 && now.Before(s.ReadyBy):
		return fmt.Errorf("%d targets have no result yet", s.Waiting)
	}
	return nil
}

// Status is the present one, never older than an answer that has been given.
func (c *Controller) Status() *Status {
	c.ahead.RLock()
	defer c.ahead.RUnlock()
	return c.status.Load()
}
