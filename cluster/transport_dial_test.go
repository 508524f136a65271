package cluster

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestDialIsTriedAgain: an attempt that was lost in a network that has healed since is not waited for; one that is refused
// ends it; and those that are too many are closed.
func TestDialIsTriedAgain(t *testing.T) {
	refused := errors.New("refused")
	for name, c := range map[string]struct {
		lost int           // attempts of which nothing is heard
		slow time.Duration // what the next takes
		err  error         // what it ends with
		took time.Duration
		want error // as text
	}{
		"at once":  {0, time.Millisecond, nil, time.Millisecond, nil},
		"healed":   {2, time.Millisecond, nil, 2*dialAgain + time.Millisecond, nil},
		"refused":  {0, time.Millisecond, refused, time.Millisecond, refused},
		"far away": {0, 2*dialAgain + time.Millisecond, nil, 2*dialAgain + time.Millisecond, nil},
		"silent":   {99, 0, nil, time.Second, errors.New("dial tcp: i/o timeout")},
	} {
		synctest.Test(t, func(t *testing.T) {
			began, attempts, far := time.Now(), make(chan struct{}, 99), make(chan net.Conn, 99)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			conn, err := persist(ctx, func(ctx context.Context) (net.Conn, error) {
				attempts <- struct{}{}
				if len(attempts) <= c.lost {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				near, end := net.Pipe()
				far <- end
				time.Sleep(c.slow)
				return near, c.err
			})
			if took := time.Since(began); took != c.took || (err == nil) != (c.want == nil) || err != nil && err.Error() != c.want.Error() {
				t.Errorf("%s: %v after %v, want %v after %v", name, err, took, c.want, c.took)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			close(far)
			open := 0
			for end := range far {
				_ = end.SetReadDeadline(time.Now().Add(time.Millisecond))
				if _, err := end.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
					open++
				}
			}
			if err == nil {
				if open != 1 {
					t.Errorf("%s: %d connections are open", name, open)
				}
				conn.Close()
			}
		})
	}
}
