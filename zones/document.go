package zones

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// maxTOML bounds a TOML file; more records than fit belong in a zonefile.
const maxTOML = 16 << 20

// decode reads a TOML document and where its keys were written. A document that is no TOML is reported, and what it
// returns is nil.
func decode(r *report, file string, data []byte) (map[string]any, *node) {
	if len(data) > maxTOML {
		r.add(Problem{File: file, Message: fmt.Sprintf("is larger than %d MiB", maxTOML>>20), Hint: "put the records into a zonefile"})
		return nil, nil
	}
	if !utf8.Valid(data) {
		r.add(Problem{File: file, Line: invalidLine(data), Message: "is not UTF-8", Hint: "save it as UTF-8"})
		return nil, nil
	}
	at, excess, line := locate(string(data))
	if excess != "" {
		r.add(Problem{File: file, Line: line, Message: excess})
		return nil, nil
	}
	raw := map[string]any{}
	if _, err := toml.Decode(string(data), &raw); err != nil {
		r.add(syntaxProblem(file, err))
		return nil, nil
	}
	return raw, at
}

// syntaxProblem is the TOML library's error as a Problem.
func syntaxProblem(file string, err error) Problem {
	p := Problem{File: file, Message: err.Error(), Hint: "nothing after a syntax error is read"}
	var parse toml.ParseError
	if errors.As(err, &parse) {
		p.Line, p.Key, p.Message = max(parse.Position.Line, 1), parse.LastKey, "TOML syntax: "+parse.Message
	}
	return p
}

func invalidLine(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return line
}
