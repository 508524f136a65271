package zones

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// record is one record with its place and its sort key.
type record struct {
	packed Packed
	at     position
	key    string // see sortKey; equal for equal owners
}

// zoneText reads records, in presentation format, of one zone.
type zoneText struct {
	zone     string // canonical
	name     string // zone in wire form
	ttl      uint32 // of records that give none
	max      int    // records that may be read
	records  []record
	complain func(position, error)
	foreign  func(position, string) // told of names with octets beyond ASCII
	failures int                    // faults so far
	packer   packer
	packed   slab // of records
	keys     slab // of records
	key      []byte
	wire     []byte
}

const (
	maxRecords   = 10_000_000 // of one zone
	maxGenerated = 1_000_000  // of them by $GENERATE: a single line must not fill the memory
)

// errCount says that a zone has too many records.
var errCount = fmt.Errorf("a zone may have %d records", maxRecords)

// readFile reads a zone file and all that it includes. After a wrong record it goes on with the next, to find what else
// is wrong.
func (z *zoneText) readFile(d *folder, name string) error {
	return z.readStream(&stream{folder: d, origin: z.zone, made: int64(min(z.max, maxGenerated)), complain: z.fault, take: z.take}, name)
}

func (z *zoneText) readStream(s *stream, name string) error {
	defer s.close()
	if err := s.push(name, z.zone); err != nil {
		return err
	}
	first, ttl := len(z.records), z.ttl
	for !s.ended() && z.failures < maxProblems {
		if len(z.records) > first {
			ttl = z.records[len(z.records)-1].packed.TTL() // without $TTL, the one given last
		}
		parser := dns.NewZoneParser(s, s.innermost(), name)
		parser.SetDefaultTTL(ttl)
		s.setTTL = parser.SetDefaultTTL
		if err := z.readEntries(s, parser); err != nil {
			return err
		}
	}
	return nil
}

// readEntries reads records until the end or the first wrong one.
func (z *zoneText) readEntries(s *stream, parser *dns.ZoneParser) error {
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		if len(z.records) >= z.max {
			return errCount
		}
		z.keep(rr, s.entry)
	}
	err := parser.Err()
	if err == nil || s.err != nil {
		return nil // the end, or why the stream ended early was said
	}
	message, line := parserError(err)
	z.fault(s.resume(line), errors.New(message))
	return nil
}

// fault reports what is wrong with a record or a directive.
func (z *zoneText) fault(at position, err error) {
	z.failures++
	z.complain(at, err)
}

// readOne reads one record given as text.
func (z *zoneText) readOne(text string, at position) {
	if err := z.parseOne(text, at); err != nil {
		z.fault(at, err)
	}
}

func (z *zoneText) parseOne(text string, at position) error {
	if len(z.records) >= z.max {
		return errCount
	}
	if strings.HasPrefix(text, "$") {
		return errors.New("directives belong in a zonefile")
	}
	parser := dns.NewZoneParser(strings.NewReader(text+"\n\n"), z.zone, "")
	parser.SetDefaultTTL(z.ttl)
	rr, ok := parser.Next()
	if !ok && parser.Err() == nil {
		return errors.New("holds no record")
	}
	if !ok {
		message, _ := parserError(parser.Err())
		return errors.New(message)
	}
	// The parser is not asked for more than one more: what follows might be a directive.
	if rest, more := parser.Next(); more || parser.Err() != nil {
		_ = rest
		return errors.New("holds more than one record")
	}
	z.keep(rr, at)
	return nil
}

// parserError returns a parser's message in livens' words, without its package name and position, and the line it
// names, or 0.
func parserError(err error) (message string, line int) {
	message = err.Error()
	if i := strings.LastIndex(message, " at line: "); i >= 0 {
		if _, scanErr := fmt.Sscanf(message[i:], " at line: %d:", &line); scanErr != nil {
			line = 0
		}
		message = message[:i]
	}
	if i := strings.Index(message, "dns: "); i >= 0 {
		message = message[i+len("dns: "):]
	}
	if len(message) > 200 {
		message = message[:200] + "…"
	}
	return reword(strings.ReplaceAll(message, `"\n"`, "the line's end")), line
}

// reword says the parser's commonest messages so that they need no explanation.
func reword(message string) string {
	what, token, _ := strings.Cut(message, ": ")
	if what == "unexpected newline" {
		return "a record without data"
	}
	if what == "not a TTL" || strings.HasPrefix(what, "expecting RR type") {
		return token + " is no TTL, class or type"
	}
	words := strings.Fields(what)
	if len(words) < 2 || words[0] != "bad" {
		return message
	}
	t, known := dns.StringToType[words[1]]
	switch {
	case !known:
		return message
	case len(words) > 2 && words[2] != words[1]:
		return article(t) + " with bad " + strings.Join(words[2:], " ") + ": " + token
	}
	return article(t) + " with bad data: " + token
}

// keep checks a record by itself and adds it.
func (z *zoneText) keep(rr dns.RR, at position) {
	raw := rawName(rr)
	wire, err := z.admit(rr)
	if err != nil {
		z.fault(at, err)
		return
	}
	if raw != "" {
		z.foreign(at, raw)
	}
	z.add(wire, at)
}

// add adds a record that was found to be good.
func (z *zoneText) add(wire []byte, at position) {
	r := record{packed: Packed(z.packed.keep(wire)), at: at}
	owner := r.packed.WireOwner()
	if n := len(z.records); n > 0 && z.records[n-1].packed.WireOwner() == owner {
		r.key = z.records[n-1].key
	} else {
		z.key = appendKey(z.key[:0], owner, len(z.name))
		r.key = z.keys.keep(z.key)
	}
	if len(z.records) == cap(z.records) {
		z.records = slices.Grow(z.records, max(len(z.records), 8)) // append would copy four times as much
	}
	z.records = append(z.records, r)
}

// admit checks what can be wrong with a record whatever else is in the zone, gives its owner one spelling, and packs it.
// What it returns is the packer's.
func (z *zoneText) admit(rr dns.RR) ([]byte, error) {
	h := rr.Header()
	if h.Name == "" {
		return nil, errors.New("has no owner, and no record before it has one")
	}
	owner, err := spelled(h.Name)
	if err != nil {
		return nil, fmt.Errorf("owner %q %w", clip(h.Name), err)
	}
	h.Name = owner
	switch {
	case !within(lower(owner), z.zone):
		return nil, fmt.Errorf("%s is outside the zone %s", clip(owner), z.zone)
	case h.Class != dns.ClassINET:
		return nil, fmt.Errorf("class %s: livens serves class IN", dns.Class(h.Class))
	case h.Ttl > 1<<31-1:
		return nil, fmt.Errorf("TTL %d is above %d (RFC 2181 section 8)", h.Ttl, 1<<31-1)
	case h.Rrtype == dns.TypeSOA && lower(owner) != z.zone:
		return nil, fmt.Errorf("SOA at %s: it belongs to the zone's own name, %s", clip(owner), z.zone)
	case h.Rrtype == 0 || h.Rrtype == 65535:
		return nil, fmt.Errorf("TYPE%d is reserved: no data is of that type (RFC 6895 section 3.1)", h.Rrtype)
	case isMeta(h.Rrtype):
		return nil, fmt.Errorf("%s is no type of data: it exists in queries and messages only", dns.Type(h.Rrtype))
	}
	return z.packs(rr)
}

// isMeta says whether a type cannot be in a zone (RFC 6895 section 3.1).
func isMeta(t uint16) bool {
	return t == 0 || t == dns.TypeOPT || t >= 128 && t <= 255 || t == 65535
}

// packs checks that a record's data can be sent.
func (z *zoneText) packs(rr dns.RR) ([]byte, error) {
	wire, err := z.packer.pack(rr)
	if err != nil {
		return nil, fmt.Errorf("%s data that cannot be sent: %s", dns.Type(rr.Header().Rrtype), strings.TrimPrefix(err.Error(), "dns: "))
	}
	if len(wire) == Packed(wire).owner()+recordHead && !mayBeEmpty(rr) {
		return nil, fmt.Errorf("%s has no data", dns.Type(rr.Header().Rrtype))
	}
	if _, _, err := dns.UnpackRR(wire, 0); err != nil {
		return nil, fmt.Errorf("%s data that cannot be sent: %s", dns.Type(rr.Header().Rrtype), strings.TrimPrefix(err.Error(), "dns: "))
	}
	return wire, nil
}

// packer packs records into a buffer that grows only for those that need it: there may be many small zones.
type packer struct{ buf []byte }

// pack returns a record in wire form, uncompressed, valid until the next call.
func (p *packer) pack(rr dns.RR) ([]byte, error) {
	for _, size := range []int{2 << 10, 1<<16 + 512} {
		if len(p.buf) < size {
			p.buf = make([]byte, size)
		}
		end, err := dns.PackRR(rr, p.buf, 0, nil, false)
		if err == nil {
			return p.buf[:end], nil
		}
		if len(p.buf) > size || size > 1<<16 {
			return nil, err
		}
	}
	return nil, dns.ErrBuf
}

// mayBeEmpty says whether a record without data is legal.
func mayBeEmpty(rr dns.RR) bool {
	switch rr.(type) {
	case *dns.RFC3597, *dns.NULL, *dns.APL:
		return true
	}
	return false
}
