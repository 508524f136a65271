package zones

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Problem is one thing that is wrong, or legal and unwise, in what an operator wrote.
type Problem struct {
	Warning bool   `json:"warning"`        // legal: nothing is refused for it
	File    string `json:"file"`           // as the operator knows it: relative to livens.toml's folder where possible
	Line    int    `json:"line,omitempty"` // from 1; 0: the file as a whole
	Key     string `json:"key,omitempty"`  // dotted, arrays by index from 1 or name: "pool.chat.check.interval"
	Message string `json:"message"`        // what is wrong
	Hint    string `json:"hint,omitempty"` // what to do
}

// String is one line: "zones/chat.toml:14: pool.chat.check.intervall: unknown key (did you mean "interval"?)".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.place() + ": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString(" (" + p.Hint + ")")
	}
	return b.String()
}

// place is the file and line: "zones/chat.toml:14".
func (p Problem) place() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return p.File
}

// samePlace says whether two problems are about the same line and key.
func (p Problem) samePlace(q Problem) bool {
	return p.File == q.File && p.Line == q.Line && p.Key == q.Key
}

// Problems is what a load found, in order of file and line.
type Problems []Problem

// MarshalJSON writes a list always: an empty one where there is nothing.
func (ps Problems) MarshalJSON() ([]byte, error) { return json.Marshal(append([]Problem{}, ps...)) }

// Errors are the problems that are not warnings.
func (ps Problems) Errors() Problems { return ps.filter(false) }

// Warnings are the problems that refuse nothing.
func (ps Problems) Warnings() Problems { return ps.filter(true) }

func (ps Problems) filter(warning bool) Problems {
	var out Problems
	for _, p := range ps {
		if p.Warning == warning {
			out = append(out, p)
		}
	}
	return out
}
