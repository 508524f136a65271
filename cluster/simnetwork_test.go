package cluster

import "time"

// flush sends what is to be sent through the network as it is.
func (n *simNode) flush() {
	w := n.w
	for _, o := range n.core.Take() {
		way := [2]string{n.name, o.Peer}
		deliver := func(to *simNode) { to.core.received(way[0], o.Message, o.Message.check(), to.clock()) }
		if !w.unread {
			data := o.Message.encode()
			deliver = func(to *simNode) { to.core.Receive(way[0], data, to.clock()) }
		}
		for range 1 + bit(w.rng.Float64() < w.repeat) {
			if w.cut[way] || !o.Reliable && w.rng.Float64() < w.loss {
				continue
			}
			w.after(w.underway(o.Reliable), func() {
				to := w.node(o.Peer)
				if !to.up || to.stopped || w.cut[way] {
					return
				}
				deliver(to)
				to.follow()
			})
		}
	}
}

// underway is how long a message is on its way. A datagram goes once; a reliable message has a connection of its own, whose
// two packets before it may be lost, so that datagrams that were sent later overtake it: after dialAgain another connection is
// begun, as the transport does.
func (w *world) underway(reliable bool) time.Duration {
	once := func() time.Duration { return w.delay + time.Duration(w.rng.Int64N(int64(w.jitter)+1)) }
	took := once()
	if !reliable {
		return took
	}
	for range 2 {
		took += once()
		if w.rng.Float64() < w.loss {
			took += dialAgain
		}
	}
	return took
}

// lookout asks the peers' DNS ports, as the real one does of those that are silent.
func (n *simNode) lookout() {
	for _, peer := range n.peers {
		to := n.w.node(peer)
		if to.up && !to.stopped && to.answers != nil && !to.witness && !n.w.noDNS[[2]string{n.name, peer}] {
			n.core.Answered(peer, n.clock())
		}
	}
}
