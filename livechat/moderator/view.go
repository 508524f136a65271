// Package moderator asks the Moderators which deployment is active, as docs/client-protocol.md has it.
package moderator

// Down is the state of a deployment that a Moderator calls dead.
const Down = "down"

// View is what the Moderators say, as far as it is to be believed now.
type View struct {
	Heard  bool              // whether one has answered within the last 10 s; if not, the rest is empty
	Active string            // a deployment's name
	Epoch  int64             // of that decision
	States map[string]string // by deployment: up, down, unknown or drain
}
