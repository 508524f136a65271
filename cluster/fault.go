package cluster

// fault notes something wrong that was refused; nothing of it was applied.
func (c *Core) fault(kind FaultKind, from, detail string) {
	c.noticed = append(c.noticed, Fault{Kind: kind, From: from, Detail: detail})
}

// Noticed hands over what was refused since the last call.
func (c *Core) Noticed() []Fault {
	out := c.noticed
	c.noticed = nil
	return out
}

// hint says what to do about a fault.
func (k FaultKind) hint() string {
	switch k {
	case WrongFormat:
		return "bring the nameservers to versions of livens that are one apart at most"
	case DuplicateName:
		return "give every nameserver a name of its own in livens.toml"
	case UnknownMember:
		return "name it in [cluster] peers everywhere, or take the key away from it"
	case WrongKey:
		return "one line of the key file must be the same everywhere; livens key cluster tells how to change keys"
	case Replayed:
		return "somebody on the way may be repeating messages"
	}
	return "look at what sends it"
}
