package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"flag"
)

func keyCommand() command {
	return command{
		name: "key", args: []string{"KIND"}, summary: "make a secret key",
		help: `
Prints a new random key and keeps nothing. The one KIND is "cluster": the key with which nameservers
encrypt what they tell one another. All of them need the same, in the file that key_file in [cluster]
names, which only the user that livens runs as may read:

  umask 077; livens key cluster > /etc/livens/cluster.key

Copy that file to the other nameservers (mode 0600). Then the key is exchanged without an outage in
three steps, each on all nameservers, one after the other and with a restart of each, before the next:

  1. add the new key as the second line: all understand it, nobody uses it yet
  2. move it to the first line: all use it, and still understand the old one
  3. remove the old one`,
		bind: func(*flag.FlagSet) func(context.Context, *env, []string) error {
			return func(_ context.Context, e *env, args []string) error {
				k, err := makeKey(args[0])
				if err != nil {
					return err
				}
				return e.print(k, func(p *printer) { p.line("%s", k.Key) })
			}
		},
	}
}

// newKey is the document of livens key.
type newKey struct {
	Kind string `json:"kind"`
	Key  string `json:"key"` // as a line of the key file
}

// makeKey makes a key of a kind.
func makeKey(kind string) (*newKey, error) {
	if kind != "cluster" {
		return nil, misuse("no KIND is called %q%s; there is: cluster", kind, hint(kind, []string{"cluster"}))
	}
	var key [32]byte
	rand.Read(key[:]) // never fails: the runtime ends the process instead
	return &newKey{Kind: kind, Key: base64.StdEncoding.EncodeToString(key[:])}, nil
}
