package zones

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/miekg/dns"
)

// directive obeys a line that begins with a dollar.
func (s *stream) directive(f *frame, line []byte) error {
	words := strings.Fields(string(uncommented(line)))
	switch name := strings.ToUpper(words[0]); {
	case name == "$TTL" && len(words) == 2:
		ttl, err := parseTTL(words[1])
		if err != nil {
			return err
		}
		line = fmt.Appendf(nil, "$TTL %d\n", ttl)
		s.ttl, s.seconds, s.given = line, ttl, nil
	case name == "$ORIGIN" && len(words) == 2:
		origin, err := absolute(words[1], f.origin)
		if err != nil {
			return fmt.Errorf("$ORIGIN: %q %w", clip(words[1]), err)
		}
		if len(f.owner) > 0 && !dns.IsFqdn(string(f.owner)) {
			owner, _ := complete(string(f.owner), f.origin) // a wrong one was reported where it was written
			f.owner = []byte(owner)
		}
		f.origin = origin
		line = []byte("$ORIGIN " + origin + "\n")
	case name == "$INCLUDE" && (len(words) == 2 || len(words) == 3):
		return s.include(f, words[1:])
	case name == "$GENERATE" && len(words) > 2 && f.generator == nil:
		return s.generate(f, strings.TrimSpace(string(uncommented(line)))[len("$GENERATE"):])
	case name == "$TTL" || name == "$ORIGIN" || name == "$INCLUDE" || name == "$GENERATE":
		return fmt.Errorf("%s does not read so", name)
	default:
		return fmt.Errorf("unknown directive %q, known: $ORIGIN, $TTL, $INCLUDE, $GENERATE", clip(words[0]))
	}
	s.handOut(line)
	return nil
}

// parseTTL reads seconds, or numbers with the units w, d, h, m and s.
func parseTTL(s string) (uint32, error) {
	var total, part uint64
	digits := false
	for _, c := range strings.ToLower(s) {
		unit := strings.IndexRune("smhdw", c)
		switch {
		case c >= '0' && c <= '9':
			part, digits = part*10+uint64(c-'0'), true
		case unit < 0 || !digits:
			return 0, fmt.Errorf("$TTL: %q is no TTL", clip(s))
		default:
			total += part * [...]uint64{1, 60, 3600, 86400, 604800}[unit]
			part, digits = 0, false
		}
		if total+part > 1<<31-1 {
			return 0, fmt.Errorf("$TTL %s is above %d (RFC 2181 section 8)", clip(s), 1<<31-1)
		}
	}
	return uint32(total + part), nil
}

// include obeys $INCLUDE file [origin]; the file is relative to the one that includes it.
func (s *stream) include(f *frame, words []string) error {
	name, origin := strings.Trim(words[0], `"`), f.origin
	if len(words) == 2 {
		var err error
		if origin, err = absolute(words[1], f.origin); err != nil {
			return fmt.Errorf("$INCLUDE: %q %w", clip(words[1]), err)
		}
	}
	if path.IsAbs(name) {
		return fmt.Errorf("$INCLUDE %s: the file must be inside the zones folder, relative to this one", clip(name))
	}
	if err := s.push(path.Join(path.Dir(*f.position.file), name), origin); err != nil {
		return fmt.Errorf("$INCLUDE %s: %s", clip(name), plainError(err))
	}
	if origin != f.origin {
		s.handOut([]byte("$ORIGIN " + origin + "\n"))
	}
	return nil
}

// generate obeys $GENERATE.
func (s *stream) generate(f *frame, text string) error {
	g, err := newGenerator(text)
	if err != nil {
		return fmt.Errorf("$GENERATE: %w", err)
	}
	if g.count() > s.made {
		return fmt.Errorf("$GENERATE: with the %d records that it makes a zone has more than %d of that kind", g.count(), maxGenerated)
	}
	s.made -= g.count()
	s.frames = append(s.frames, &frame{position: f.position, generator: g, origin: f.origin})
	return nil
}

// uncommented cuts a comment off a directive's line.
func uncommented(line []byte) []byte {
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		line = line[:i]
	}
	return bytes.TrimRight(line, "\r\n")
}
