package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// sharedPort is where a flood goes that several servers share.
	sharedPort = 5300
	// turn is for how long one of them answers at once: many batches, and short beside a flood.
	turn = 100 * time.Millisecond
	// settled is when the last batch of a server that was stopped has left it.
	settled = 5 * time.Millisecond
)

// share floods the servers at one wire once, all together: they take turns, and all but one are stopped (SIGSTOP). It tells how many answers
// each gave for each second of processor time, by its name.
//
// How fast a flood is answered changes from one to the next by up to 40 %, whoever answers. So all of them have the same one. While a server is
// stopped its queue stays full, as in a flood of its own.
func (c *contest) share(all []*running, list string, rate, seconds int) (map[string]float64, error) {
	w := all[0].site.wire
	if err := w.takeTurns(); err != nil {
		return nil, err
	}
	defer w.host.Run("", "nft", "delete", "table", "netdev", "turns") // or it would cost what is measured next
	before, answered := make([]usage, len(all)), make([]float64, len(all))
	for i, r := range all {
		var err error
		if before[i], err = r.usage(); err != nil {
			return nil, err
		}
		r.signal(syscall.SIGSTOP)
		defer r.signal(syscall.SIGCONT)
	}
	over := c.begin(w, sharedPort, list, rate, seconds)
	for i := 0; ; i = (i + 1) % len(all) {
		select {
		case <-c.ctx.Done():
			return nil, c.ctx.Err()
		case end := <-over:
			if end.err != nil {
				return nil, end.err
			}
			return perCPU(all, before, answered, end.answered)
		default:
		}
		n, err := w.turn(all[i])
		if err != nil {
			return nil, err
		}
		answered[i] += n
	}
}

// flooded is how a flood ended.
type flooded struct {
	sample
	err error
}

func (c *contest) begin(w *wire, port int, list string, rate, seconds int) (over <-chan flooded) {
	end := make(chan flooded, 1)
	go func() {
		s, err := c.kxdpgun(w, port, list, rate, seconds)
		end <- flooded{s, err}
	}()
	return end
}

// perCPU is what each server answered since, for each second of processor time. All that they answered has to have arrived.
func perCPU(all []*running, before []usage, answered []float64, arrived float64) (map[string]float64, error) {
	figures, sum := map[string]float64{}, 0.0
	for i, r := range all {
		after, err := r.usage()
		if err != nil {
			return nil, err
		}
		s := sample{answered: answered[i], cpu: (after.cpu - before[i].cpu).Seconds()}
		if s.answered == 0 || s.cpu <= 0 {
			return nil, fmt.Errorf("%s answered %.0f queries in its turns, in %.2f s of processor time", r.name, s.answered, s.cpu)
		}
		figures[r.name] = s.perCPU()
		sum += s.answered
	}
	if math.Abs(sum-arrived) > arrived/50 {
		return nil, fmt.Errorf("the servers sent %.0f replies in their turns, of which %.0f arrived", sum, arrived)
	}
	return figures, nil
}

// takeTurns prepares the servers' host to hand on what comes for sharedPort to whose turn it is; until then it is dropped.
// kxdpgun's datagrams have no checksum, which is 0, and must have none on their way to another port.
func (w *wire) takeTurns() error {
	return w.host.Run(fmt.Sprintf(`table netdev turns
delete table netdev turns
table netdev turns {
	map whose { type inet_service : inet_service; }
	chain arriving {
		type filter hook ingress device eth0 priority 0;
		udp dport %d udp dport set udp dport map @whose udp checksum set 0 accept
		udp dport %[1]d drop
	}
}
`, sharedPort), "nft", "-f", "-")
}

// turn lets one server answer, and says how many replies left its host.
func (w *wire) turn(r *running) (replies float64, err error) {
	err = w.host.Run(fmt.Sprintf("flush map netdev turns whose\nadd element netdev turns whose { %d : %d }\n", sharedPort, r.site.port), "nft", "-f", "-")
	if err != nil {
		return 0, err
	}
	before, err := w.sent()
	if err != nil {
		return 0, err
	}
	r.signal(syscall.SIGCONT)
	time.Sleep(turn)
	r.signal(syscall.SIGSTOP)
	time.Sleep(settled)
	after, err := w.sent()
	return after - before, err
}

// sent is how many frames have left the servers' host.
func (w *wire) sent() (n float64, err error) {
	err = w.host.Do(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/dev")
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			name, counts, _ := strings.Cut(line, ":")
			const sent = 9 // behind eight of what was received, and the octets
			if fields := strings.Fields(counts); strings.TrimSpace(name) == "eth0" && len(fields) > sent {
				n, err = strconv.ParseFloat(fields[sent], 64)
				return err
			}
		}
		return fmt.Errorf("/proc/net/dev does not tell what eth0 has sent")
	})
	return n, err
}
